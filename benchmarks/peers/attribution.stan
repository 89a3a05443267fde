// The model of models/hcp_brick.toml: sparse rows, non-centred entities, zero-sum groups.
data {
  int<lower=1> n_entities;
  int<lower=1> n_aggregates;
  int<lower=1> n_groups;
  int<lower=0> n_edges;
  array[n_aggregates] int<lower=0> total;
  vector[n_edges] exposure;
  array[n_edges] int entity_of_edge;
  array[n_aggregates + 1] int start;
  array[n_entities] int<lower=1, upper=n_groups> group;
  real log_scale;
}
parameters {
  real intercept;
  real<lower=0> sigma_specialty;
  real<lower=0> sigma_entity;
  sum_to_zero_vector[n_groups] effect_specialty;
  vector[n_entities] offset_entity;
}
transformed parameters {
  vector[n_entities] rate = exp(log_scale + intercept + effect_specialty[group]
                                + sigma_entity * offset_entity);
}
model {
  intercept ~ std_normal();
  sigma_specialty ~ std_normal();
  sigma_entity ~ std_normal();
  offset_entity ~ std_normal();
  // A normal law on the effects that sum to zero has one dimension less than there are groups.
  target += -(n_groups - 1) * log(sigma_specialty)
            - dot_self(effect_specialty) / (2 * square(sigma_specialty));
  total ~ poisson(csr_matrix_times_vector(n_aggregates, n_entities, exposure, entity_of_edge,
                                          start, rate));
}
