"""Numbers from results: what runs did, how fast, and which of them did best.

`classify` and `measured_rate` need every step of a run, and take results with summaries only as
well: they run the cells again, some at a time, with the same bits.
"""

from fastmomentum.analysis.behaviour import Behaviour as Behaviour
from fastmomentum.analysis.behaviour import classify as classify
from fastmomentum.analysis.comparing import Fastest as Fastest
from fastmomentum.analysis.comparing import fastest as fastest
from fastmomentum.analysis.comparing import soonest as soonest
from fastmomentum.analysis.cycling import Cycling as Cycling
from fastmomentum.analysis.cycling import measured_cycles as measured_cycles
from fastmomentum.analysis.dimensions import basin_entropy as basin_entropy
from fastmomentum.analysis.dimensions import boundary_dimension as boundary_dimension
from fastmomentum.analysis.foretelling import Foretold as Foretold
from fastmomentum.analysis.foretelling import Parting as Parting
from fastmomentum.analysis.foretelling import foretold as foretold
from fastmomentum.analysis.losses import distance as distance
from fastmomentum.analysis.losses import excess as excess
from fastmomentum.analysis.losses import loss as loss
from fastmomentum.analysis.lyapunov import lyapunov_exponent as lyapunov_exponent
from fastmomentum.analysis.rates import Agreement as Agreement
from fastmomentum.analysis.rates import agreement as agreement
from fastmomentum.analysis.rates import gap_ratio as gap_ratio
from fastmomentum.analysis.rates import measured_rate as measured_rate
from fastmomentum.analysis.rates import predicted_rate as predicted_rate
from fastmomentum.analysis.refined_map import refined_map as refined_map
from fastmomentum.analysis.refinement import Refined as Refined
from fastmomentum.analysis.refining import refine as refine
from fastmomentum.analysis.seeds import over_seeds as over_seeds
from fastmomentum.analysis.sensitivity import uncertainty_exponent as uncertainty_exponent
from fastmomentum.analysis.summaries import basin as basin
from fastmomentum.analysis.summaries import best as best
from fastmomentum.analysis.summaries import fraction_converged as fraction_converged
