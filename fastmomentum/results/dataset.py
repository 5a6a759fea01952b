"""Results as labelled data: opening a file safely, and the plan behind them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastmomentum.errors import FileError, InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.fingerprint import digest as digest
from fastmomentum.results.labelled import Labelled, LabelledArray
from fastmomentum.specification.paths import path_of
from fastmomentum.store.paths import existing
from fastmomentum.store.untrusted import LackingError, plain_json, require_known
from fastmomentum.text import kind_of

if TYPE_CHECKING:
    import xarray as xr  # which takes longer to load than many a picture to draw


def open_results(path: str | Path, allow_partial: bool = False) -> xr.Dataset:
    """Open a results file.

    Parameters
    ----------
    path : path
        A results file.
    allow_partial : bool
        Whether an unfinished file may be opened: runs that are not done have the status 0 (not
        run) and NaN everywhere else, and the integers n_steps and hit_step become floats.

    Returns
    -------
    xarray.Dataset
        Labelled and lazy: values are read when they are asked for.

    Raises
    ------
    InputError
        There is no such file, or it is not finished.
    FileError
        It is damaged, or not one of our files.
    """
    import xarray as xr

    from fastmomentum.results.backend import ResultsBackend

    path = existing(path_of(path))
    return xr.open_dataset(path, engine=ResultsBackend, allow_partial=allow_partial)


def experiment_of(ds: Labelled | LabelledArray) -> Experiment:
    """The plan that results were made from.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.

    Returns
    -------
    Experiment
        As it was run.

    Raises
    ------
    InputError
        The data set is not one of our results.
    """
    if not isinstance(ds, Labelled | LabelledArray):
        path = isinstance(ds, str | os.PathLike)
        advice = f"; open it with fm.open({str(ds)!r})" if path else ""
        raise InputError(f"results must be a Dataset: got {kind_of(ds)}{advice}")
    if "experiment" not in ds.attrs:
        raise InputError("these data hold no experiment; open a results file with fm.open")
    return _plan(ds.attrs["experiment"], ds.attrs.get("fastmomentum_version"))


def runnable(ds: Labelled) -> Experiment:
    """The plan of results, with everything that is needed to run it again.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.

    Returns
    -------
    Experiment
        With the rows of its data, if batches are drawn from them.

    Raises
    ------
    InputError
        The data set is not one of our results, or has lost the data that batches are drawn from.
    """
    plan = experiment_of(ds)
    if plan.batch is None:
        return plan
    for name in ("data_x", "data_y"):
        if name not in ds:
            raise InputError(
                f"{name} is missing, and batches are drawn from it; keep data_x and data_y"
            )
    return plan.with_observations(ds["data_x"].values, ds["data_y"].values)


@functools.lru_cache(maxsize=4)  # lists of starts are long
def _plan(text: str, made_with: str | None) -> Experiment:
    try:
        require_known(plain_json(text.encode(errors="replace")), made_with)
    except LackingError as error:
        raise InputError(f"the experiment of these data {error}") from None
    except FileError:
        pass  # the error below says more about text that is not plain JSON
    return Experiment.from_canonical(text)
