# The public names, written once: type checkers read them here, and `__init__.py` imports each when it is first used.

from .api.comparing import compare as compare
from .api.metric import MetricFunction as MetricFunction
from .api.metric import metric as metric
from .api.results import ResultsFolder as ResultsFolder
from .api.results import load_results as load_results
from .api.results import report as report
from .api.results import table as table
from .api.running import run as run
from .api.running import score as score
from .datasets.loading import Dataset as Dataset
from .datasets.loading import Sample as Sample
from .datasets.loading import from_folders as from_folders
from .datasets.loading import load_dataset as load_dataset
from .errors import BenchError as BenchError
from .ledger.reader import Ledger as Ledger
from .methods.base import Method as Method
from .methods.loading import load_method as load_method
from .methods.registry import find_method as find_method
from .methods.registry import find_methods as find_methods
from .metrics.catalogue import build_metric as build_metric
from .metrics.catalogue import build_metrics as build_metrics
from .metrics.catalogue import find_protocol as find_protocol
from .metrics.scorer import Scorer as Scorer
from .preparation.prepare import prepare as prepare
from .seeds import seed as seed
from .stability import g_std as g_std
from .stability import l_std as l_std
from .statistics.bootstrap import bootstrap_interval as bootstrap_interval
from .statistics.paired import paired_difference as paired_difference

__version__: str
__all__: list[str]
