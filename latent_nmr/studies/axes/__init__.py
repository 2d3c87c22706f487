"""Interpretation of latent axes: the label that each one orders, and what several models share."""

from latent_nmr.studies.axes._names import AxisName as AxisName
from latent_nmr.studies.axes._names import LabelStrength as LabelStrength
from latent_nmr.studies.axes._names import axis_name_of as axis_name_of
from latent_nmr.studies.axes._study import AxesResult as AxesResult
from latent_nmr.studies.axes._study import name_axes as name_axes
from latent_nmr.studies.axes._study import strength_table as strength_table
