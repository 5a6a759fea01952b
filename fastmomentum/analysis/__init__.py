"""Numbers from results: what runs did, how fast, and which of them did best.

What needs every step of a run, `classify` and `measured_rate`, takes results of summaries as well:
the runs are walked again, some at a time, which gives the same bits.
"""

from fastmomentum.analysis.behaviour import Behaviour as Behaviour
from fastmomentum.analysis.behaviour import classify as classify
from fastmomentum.analysis.rates import Agreement as Agreement
from fastmomentum.analysis.rates import agreement as agreement
from fastmomentum.analysis.rates import measured_rate as measured_rate
from fastmomentum.analysis.rates import predicted_rate as predicted_rate
from fastmomentum.analysis.seeds import over_seeds as over_seeds
from fastmomentum.analysis.summaries import basin as basin
from fastmomentum.analysis.summaries import best as best
from fastmomentum.analysis.summaries import distance as distance
from fastmomentum.analysis.summaries import excess as excess
from fastmomentum.analysis.summaries import fraction_converged as fraction_converged
from fastmomentum.analysis.summaries import loss as loss
