"""Baselines of a data set: its principal components, and its clusters for every number of them.

PCA and K-means see no label. Labels colour the maps, describe the clusters, and say whether the
clusters follow them.
"""

from latent_nmr.studies.clusters._inputs import MAP_LABELS as MAP_LABELS
from latent_nmr.studies.clusters._study import ClustersResult as ClustersResult
from latent_nmr.studies.clusters._study import clusters as clusters
