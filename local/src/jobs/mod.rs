//! Processing and training jobs, as processes under the `/opt/ml` contract.
