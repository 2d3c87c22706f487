# The public names, one line each, kept here only: type checkers read this file, and so does
# __init__.py at run time. A line "from MODULE import NAME as NAME" makes a name public.

from latent_nmr import plots as plots
from latent_nmr.analysis.polynomial import SectionPolynomials as SectionPolynomials
from latent_nmr.data.challenge_files import open_challenge as open_challenge
from latent_nmr.data.challenge_files import save_challenge as save_challenge
from latent_nmr.data.echo_features import EchoFeatures as EchoFeatures
from latent_nmr.data.io import open_echoes as open_echoes
from latent_nmr.data.io import save_echoes as save_echoes
from latent_nmr.data.lattice_code import open_lattice_code as open_lattice_code
from latent_nmr.data.reference import load_reference as load_reference
from latent_nmr.data.spectrometer import add_baseline as add_baseline
from latent_nmr.data.spectrometer import add_noise as add_noise
from latent_nmr.data.spectrometer import blank_dead_time as blank_dead_time
from latent_nmr.data.spectrometer import rotate_phase as rotate_phase
from latent_nmr.data.spectrometer import shift_frequency as shift_frequency
from latent_nmr.data.store import simulate as simulate
from latent_nmr.data.windows import features as features
from latent_nmr.data.windows import window_time as window_time
from latent_nmr.errors import AxisWarning as AxisWarning
from latent_nmr.errors import InputError as InputError
from latent_nmr.errors import NumericalError as NumericalError
from latent_nmr.errors import RangeWarning as RangeWarning
from latent_nmr.models.baselines import KMeansBaseline as KMeansBaseline
from latent_nmr.models.baselines import PCABaseline as PCABaseline
from latent_nmr.models.baselines import UMAPBaseline as UMAPBaseline
from latent_nmr.models.beta_vae import BetaVAE as BetaVAE
from latent_nmr.models.curve_regressor import CurveRegressor as CurveRegressor
from latent_nmr.models.many import fit_many as fit_many
from latent_nmr.models.pretrained import load_pretrained as load_pretrained
from latent_nmr.physics.differentiable import curve_function as curve_function
from latent_nmr.physics.differentiable import curve_inputs as curve_inputs
from latent_nmr.physics.kernels import kernel_table as kernel_table
from latent_nmr.physics.kernels import tabulate as tabulate
from latent_nmr.physics.lattices import simulate_lattices as simulate_lattices
from latent_nmr.physics.line import Line as Line
from latent_nmr.physics.line import MeasuredLine as MeasuredLine
from latent_nmr.physics.line import draw_frequencies as draw_frequencies
from latent_nmr.physics.sequence import Pulse as Pulse
from latent_nmr.physics.sequence import Sequence as Sequence
from latent_nmr.physics.sequence import cpmg as cpmg
from latent_nmr.physics.sequence import spin_echo as spin_echo
from latent_nmr.physics.simulate import Simulation as Simulation
from latent_nmr.studies.challenge import ChallengeResult as ChallengeResult
from latent_nmr.studies.challenge import challenge as challenge
from latent_nmr.studies.clusters import ClustersResult as ClustersResult
from latent_nmr.studies.clusters import clusters as clusters
from latent_nmr.studies.embedding import embed as embed
from latent_nmr.studies.evaluation import EvaluationResult as EvaluationResult
from latent_nmr.studies.evaluation import evaluate as evaluate
from latent_nmr.studies.probes.result import ProbeResult as ProbeResult
from latent_nmr.studies.probes.study import probe as probe
from latent_nmr.studies.training import TrainingResult as TrainingResult
from latent_nmr.studies.training import train as train

__version__: str
