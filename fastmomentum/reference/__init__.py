"""The slow and obvious optimisers in plain NumPy, which the kernels are tested against.

The classes can be used on their own in a notebook; `learn_line` fits a line with them; `descend`
makes whole runs.
"""

from fastmomentum.reference.adaptive import AdaGrad as AdaGrad
from fastmomentum.reference.adaptive import Adam as Adam
from fastmomentum.reference.adaptive import Lion as Lion
from fastmomentum.reference.adaptive import NAdam as NAdam
from fastmomentum.reference.adaptive import RMSProp as RMSProp
from fastmomentum.reference.descending import Runs as Runs
from fastmomentum.reference.descending import descend as descend
from fastmomentum.reference.fitting import learn_line as learn_line
from fastmomentum.reference.modified import Modified as Modified
from fastmomentum.reference.momentum import EMA as EMA
from fastmomentum.reference.momentum import QHM as QHM
from fastmomentum.reference.momentum import SGD as SGD
from fastmomentum.reference.momentum import Momentum as Momentum
from fastmomentum.reference.momentum import Nesterov as Nesterov
from fastmomentum.reference.momentum import PyTorch as PyTorch
from fastmomentum.reference.momentum import Sutskever as Sutskever
from fastmomentum.reference.optimisers import Optimiser as Optimiser
from fastmomentum.reference.optimisers import optimiser as optimiser
