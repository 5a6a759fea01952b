"""The package's public names; read at run time as well."""

from .backend import ResultsBackend as ResultsBackend
from .backend import from_memory as from_memory
from .chosen import objective_of as objective_of
from .chosen import rule_of as rule_of
from .dataset import experiment_of as experiment_of
from .dataset import open_results as open_results
from .fingerprint import digest as digest
from .selection import select_at as select_at
