"""Stochastic gradients in plain NumPy: noise, and batches of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.noise import NOTHING, absorbed, batch_rows, gaussian_pair, key_of
from fastmomentum.objectives import MSE, Objective
from fastmomentum.objectives.statistics import sample_of


class NoisyGradient:
    """The gradient of an objective as a run sees it.

    Parameters
    ----------
    objective : Objective
        The function to minimise.
    noise : mapping, optional
        ``gaussian`` and ``common``, as in an experiment.
    batch : mapping, optional
        ``size`` and ``draw``, as in an experiment; the objective is an mse with its data.
    seed : array_like of int
        The seed of each run.
    made_with : iterable of array_like
        Settings of each run, for noise that is not common: learning rate, momentum, further axes
        of the grid in their order, the start's coordinates, the velocity's.

    Examples
    --------
    >>> from fastmomentum.objectives import Quadratic
    >>> noisy = NoisyGradient(Quadratic(1.0, 0.0, 1.0), noise={"gaussian": 0.0})
    >>> gx, gy = noisy(0, 1.0, 2.0)
    >>> float(gx), float(gy)
    (1.0, 2.0)
    """

    def __init__(
        self,
        objective: Objective,
        noise: Mapping[str, Any] | None = None,
        batch: Mapping[str, Any] | None = None,
        seed: ArrayLike = 0,
        made_with: Iterable[ArrayLike] = (),
    ) -> None:
        self.objective, self.seed = objective, np.asarray(seed, np.int64)
        self.noise = None if noise is None else {"common": True, **dict(noise)}
        self.batch = None if batch is None else {"draw": "shuffle", **dict(batch)}
        state = NOTHING, NOTHING
        if self.noise is not None and not self.noise["common"]:
            for value in made_with:
                state = absorbed(np.asarray(value, float), *state)
        self.key = key_of(self.seed, *state)

    def __call__(self, t: int, x: Any, y: Any) -> tuple[Any, Any]:
        """The gradient at a point, for the update after `t` others.

        Parameters
        ----------
        t : int
            Updates done before.
        x, y : float or ndarray
            The point.

        Returns
        -------
        tuple of float or ndarray
            Its two components.
        """
        if self.batch is None:
            gx, gy = self.objective.gradient_at(x, y, self.objective.constants)
        else:
            assert isinstance(self.objective, MSE)  # as the experiment has checked
            constants, sample = self.objective.constants, self._sample(self.objective, t)
            gx, gy = self.objective.batch_gradient_at(x, y, constants, sample)
        if self.noise is not None:
            z_x, z_y = gaussian_pair(t, 0, *self.key)
            gx, gy = gx + self.noise["gaussian"] * z_x, gy + self.noise["gaussian"] * z_y
        return gx, gy

    def _sample(self, mse: MSE, t: int) -> NDArray[np.float64]:
        """Statistics of the rows of each run's batch, shape (4, ...)."""
        assert self.batch is not None
        x, r = mse.rows
        scale = mse.constants[-1]
        seeds, of_run = np.unique(self.seed, return_inverse=True)
        found = []
        for seed in seeds.tolist():
            rows = batch_rows(seed, t, x.size, self.batch["size"], self.batch["draw"])
            found.append(sample_of(x[rows], r[rows], scale))
        return np.array(found).T[:, of_run.reshape(self.seed.shape)]
