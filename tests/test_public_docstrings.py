"""Names that users import carry complete numpydoc docstrings."""

import dataclasses
import inspect

import pytest
from numpydoc.validate import validate

import bayes_attrib as ba

FUNCTION_CHECKS = {"GL08", "SS01", "SS02", "SS03", "PR01", "PR02", "PR03", "PR10", "RT01", "RT03"}

FUNCTIONS = sorted(name for name in ba.__all__ if inspect.isfunction(getattr(ba, name)))
CLASSES = sorted(name for name in ba.__all__ if inspect.isclass(getattr(ba, name)))


def test_every_public_name_is_looked_at():
    assert sorted(FUNCTIONS + CLASSES) == sorted(ba.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_documents_parameters_and_result(name):
    path = f"{getattr(ba, name).__module__}.{name}"
    faults = [f"{code}: {text}" for code, text in validate(path)["errors"]]
    assert [fault for fault in faults if fault[:4] in FUNCTION_CHECKS] == []


@pytest.mark.parametrize("name", CLASSES)
def test_class_documents_its_fields_and_methods(name):
    cls = getattr(ba, name)
    text = inspect.getdoc(cls) or ""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    assert [field.name for field in fields if field.name not in text] == []
    own = {key: value for key, value in vars(cls).items() if not key.startswith("_")}
    methods = {k: v for k, v in own.items() if callable(v) or isinstance(v, property)}
    assert [key for key, method in methods.items() if not inspect.getdoc(method)] == []
