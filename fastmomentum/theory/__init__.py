"""Closed forms: what a rule does on a quadratic, and therefore near any minimiser.

Along an eigenvector of the Hessian, of eigenvalue L, a rule is a linear map of (w, v), the distance
from the minimiser and the velocity. With a = lr*L and m the momentum, its trace T, determinant D,
and what follows from them, are

=========  ==============  ========  ==================  ===========================================
rule       T               D         stable for 0 < a <  complex roots for
=========  ==============  ========  ==================  ===========================================
sgd        1 - a           0         2                   never
momentum   1 + m - a       m         2(1 + m)            (1 - sqrt m)^2 < a < (1 + sqrt m)^2
nesterov   (1 + m)(1 - a)  m(1 - a)  2(1 + m)/(1 + 2m)   ((1 - m)/(1 + m))^2 < a < 1
=========  ==============  ========  ==================  ===========================================

The other rules are forms of these; with the learning rate of `scale` they go through the same
points, from velocities that `convert` computes:

=========  ========================  ===================  ==========================================
rule       is                        with lr times        and velocity
=========  ========================  ===================  ==========================================
pytorch    momentum                  1 - d                -lr (v + d g0/m)
ema        momentum                  1 - m                -lr v
sutskever  nesterov, at w + m v      1                    v
qhm        sgd, where nu = 0         1                    0
qhm        momentum, where nu = 1    1 - m                -lr v
qhm        nesterov, where nu = m    1 - m                -lr v
=========  ========================  ===================  ==========================================

with d the dampening and g0 the gradient at the start, as the first update is not dampened. With
any other nu "qhm" has a matrix of its own, and is a form of no other rule.

Matrices are computed from the rules themselves, so theory always matches what is run, and a new
rule has its theory at once. Everything broadcasts.

References
----------
Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
Goh, "Why momentum really works", Distill, 2017. The rate where the roots are complex is the square
root of the momentum; the article's source prints twice that.
Lessard, Recht and Packard, "Analysis and design of optimization algorithms via integral quadratic
constraints", 2016.
Ma and Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019: what "qhm" recovers.
"""

from fastmomentum.theory.conversion import Settings as Settings
from fastmomentum.theory.conversion import convert as convert
from fastmomentum.theory.conversion import method as method
from fastmomentum.theory.conversion import scale as scale
from fastmomentum.theory.curvature import eigenvalues as eigenvalues
from fastmomentum.theory.curvature import largest_stable_lr as largest_stable_lr
from fastmomentum.theory.curvature import predicted_rate as predicted_rate
from fastmomentum.theory.cycles import converging_momentum as converging_momentum
from fastmomentum.theory.cycles import cycle_range as cycle_range
from fastmomentum.theory.cycles import has_cycle as has_cycle
from fastmomentum.theory.cycles import shortest_cycle as shortest_cycle
from fastmomentum.theory.linear import RuleLike as RuleLike
from fastmomentum.theory.linear import is_stable as is_stable
from fastmomentum.theory.linear import iteration_matrix as iteration_matrix
from fastmomentum.theory.linear import spectral_radius as spectral_radius
from fastmomentum.theory.linear import stable_limit as stable_limit
from fastmomentum.theory.mean_square import mean_square_limit as mean_square_limit
from fastmomentum.theory.mean_square import mean_square_radius as mean_square_radius
from fastmomentum.theory.minibatches import RowTerms as RowTerms
from fastmomentum.theory.minibatches import batch_expected_loss as batch_expected_loss
from fastmomentum.theory.minibatches import (
    batch_stationary_covariance as batch_stationary_covariance,
)
from fastmomentum.theory.minibatches import row_terms as row_terms
from fastmomentum.theory.moments import expected_loss as expected_loss
from fastmomentum.theory.moments import minibatch_covariance as minibatch_covariance
from fastmomentum.theory.moments import stationary_covariance as stationary_covariance
from fastmomentum.theory.paths import iterate as iterate
from fastmomentum.theory.paths import residual as residual
from fastmomentum.theory.paths import responses as responses
from fastmomentum.theory.regimes import Regime as Regime
from fastmomentum.theory.regimes import regime as regime
from fastmomentum.theory.settings import Optimum as Optimum
from fastmomentum.theory.settings import critical_momentum as critical_momentum
from fastmomentum.theory.settings import optimum as optimum
from fastmomentum.theory.settings import oscillating_range as oscillating_range
