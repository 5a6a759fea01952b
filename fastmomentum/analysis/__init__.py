"""Numbers from results."""

from fastmomentum.analysis.behaviour import Behaviour as Behaviour
from fastmomentum.analysis.behaviour import classify as classify
