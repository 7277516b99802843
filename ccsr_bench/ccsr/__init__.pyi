# The public names of the model, written once: type checkers read them here, and `__init__.py` imports each when it is
# first used.

from .architecture import count_parameters as count_parameters
from .color_fix import ColorFix as ColorFix
from .model import CCSR as CCSR
from .networks import Networks as Networks
from .noise import Noise as Noise
from .noise import OfficialNoise as OfficialNoise
from .noise import draw_noise as draw_noise
from .sampler import Sampler as Sampler
from .schedule import Schedule as Schedule
from .settings import Quirks as Quirks
from .settings import Settings as Settings
from .settings import Tiling as Tiling
from .weights import WeightFolders as WeightFolders

__all__: list[str]
