"""The draws of a finished run, made again from its files at whatever grain is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.attribution import GrainDraws, allocation_rng, draw_grains, grain_of
from bayes_attrib.attribution.grains import Grain
from bayes_attrib.errors import RunFolderError, UnknownNameError
from bayes_attrib.inference import (
    ExpectedDraws,
    PosteriorFit,
    expected_draws,
    load_open_tree,
    noise_draws,
)
from bayes_attrib.inference.rebuilt_fit import rebuild_fit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.inputs.time_key import time_key
from bayes_attrib.model.families import Draws, get_family
from bayes_attrib.report.reconciliation import observed_totals
from bayes_attrib.report.run_folder import RunFolder

_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, eq=False)
class RunDraws:
    """A finished fit with its data: what is needed to draw amounts at any grain.

    Attributes
    ----------
    run : RunFolder
        Where it came from.
    fit : PosteriorFit
        Posterior draws.
    data : AggregateData
        The data that were fitted, without aggregates that have no exposure.
    mean : ExpectedDraws
        Expected amounts in every draw.
    noise : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's parameters.
    """

    run: RunFolder
    fit: PosteriorFit
    data: AggregateData
    mean: ExpectedDraws
    noise: Draws

    @classmethod
    def load(cls, run: RunFolder, *, every: int = 1) -> Self:
        """Read the draws and the data of a run.

        Parameters
        ----------
        run : RunFolder
            A finished run.
        every : int
            Every so many draws of a chain are read. Amounts are those of the run for 1 alone.

        Returns
        -------
        RunDraws
            Nothing is drawn before it is asked for.

        Raises
        ------
        RunFolderError
            If ``posterior.nc`` lacks something, as that of an older version may.
        """
        spec, columns = run.spec, run.spec.columns
        known = [names.TRUTH_AMOUNT] if run.has_truth else []
        cells = run.read_cells(
            [*columns.aggregate, columns.entity, names.EXPOSURE, "proportional_amount", *known]
        )
        sums = cells.groupby(list(columns.aggregate), sort=False)["proportional_amount"].sum()
        totals = observed_totals(run, sums.index)
        if totals is None:  # those of a user's own model may be stored under another name
            split = sums.to_numpy(dtype=np.float64)
            totals = np.rint(split) if spec.likelihood.counts else split
        with run.open_posterior() as tree:
            loaded = load_open_tree(tree, every=every)
        try:
            fit, data = rebuild_fit(spec, cells, totals, loaded, run.manifest.method)
            mean, noise = expected_draws(fit, data, spec), noise_draws(fit, data, spec)
        except KeyError as error:
            raise RunFolderError(
                f"{run.path / names.POSTERIOR_FILE} lacks {error}, which its model needs; fit "
                "again with this version to draw amounts from it"
            ) from error
        return cls(run, fit, data, mean, noise)

    @property
    def n_draws(self) -> int:
        """Number of draws over all chains."""
        return self.fit.n_draws

    def amounts(self, *by: str) -> GrainDraws:
        """Draw the amounts at a grain, see :meth:`grains`."""
        return self.grains([by])[0]

    def grains(self, wanted: Sequence[Sequence[str] | Grain]) -> list[GrainDraws]:
        """Draw the amounts at several grains, in one pass over the cells.

        Parameters
        ----------
        wanted : sequence of (sequence of str, or Grain)
            Columns of each grain: ``"entity"``, grouping columns, key columns of aggregates; or
            rows of one's own making.

        Returns
        -------
        list of GrainDraws
            Draws that equal those from which the tables of the run were made.

        Raises
        ------
        UnknownNameError
            If the run has no such column.
        RunFolderError
            If the draws do not have the means of the run's tables, so that its files contradict
            each other.
        """
        entities = grain_of(self.data, [names.ENTITY])
        found = draw_grains(
            self.mean,
            get_family(self.run.spec.likelihood),
            self.noise,
            [
                entities,
                *(by if isinstance(by, Grain) else grain_of(self.data, by) for by in wanted),
            ],
            allocation_rng(self.run.manifest.seed),
        )
        self._require_same_means(found[0])
        return found[1:]

    def rates(self, level: str = names.ENTITY) -> tuple[tuple[str, ...], FloatArray]:
        """Return the draws of rates per unit of exposure.

        Parameters
        ----------
        level : str
            ``"entity"``, or a grouping column: the exposure-weighted mean of its entities' rates.

        Returns
        -------
        labels : tuple of str
            Entities or levels.
        rates : ndarray, shape (n_labels, n_draws)
            Draws.

        Raises
        ------
        UnknownNameError
            If the run has no such level.
        """
        rates = self.mean.rates
        if level in {names.ENTITY, self.data.entity_key}:
            return tuple(map(str, self.data.entity_names)), rates.rows(slice(None))
        if level not in self.data.groupings:
            known = [names.ENTITY, *self.data.groupings]
            raise UnknownNameError(
                f"there is no level {level!r} in this run; it has {', '.join(map(repr, known))}"
            )
        grouping = self.data.groupings[level]
        exposure = np.asarray(self.data.exposure.sum(axis=0)).ravel()
        weights = grouping.indicator @ exposure
        summed = rates.sums(sp.csr_array(grouping.indicator @ sp.diags_array(exposure)))
        return grouping.levels, summed / weights[:, np.newaxis]

    @property
    def period(self) -> str | None:
        """Key column that tells the time, see :func:`time_key`; None if none does."""
        return time_key(self.run.spec, self.data.aggregate_keys)

    def _require_same_means(self, entities: GrainDraws) -> None:
        table = self.run.attribution
        means = table[table["level"] == names.ENTITY].set_index("name")["amount_mean"]
        stored = means.loc[entities.labels[names.ENTITY]].to_numpy()
        drawn = np.concatenate([rows.mean(axis=1) for _, rows in entities.amounts.blocks()])
        largest = float(np.max(np.abs(drawn - stored), initial=0.0))
        if not largest <= _TOLERANCE * max(1.0, self.data.grand_total):
            raise RunFolderError(
                f"{self.run.path}: amounts drawn from {names.POSTERIOR_FILE} differ from those in "
                f"{names.ATTRIBUTION_FILE} by up to {largest:g}; the files are of different runs, "
                "or were made by another version: fit again"
            )
