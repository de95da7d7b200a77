"""What decisions cost, by the costs of the configuration: the one place that adds them up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decision import APPROVE, BLOCK, REVIEW
from model.errors import ConfigurationError
from model.features import FeatureSpec
from training.config import PolicyConfig

Array = NDArray[Any]


def fraud_costs(policy: PolicyConfig, amounts: Array | None, n_rows: int) -> Array:
    """Return what each transaction loses if it is a fraud and approved, shape (n,).

    The amount, never below the floor, and the fee; or the cost of a fraud that was stated.
    """
    if policy.cost_per_fraud is not None:
        return np.full(n_rows, policy.cost_per_fraud)
    at_stake = np.full(n_rows, policy.amount_floor)
    if amounts is not None:
        at_stake = np.fmax(amounts, policy.amount_floor)
    return at_stake + policy.fee


def losses_of(policy: PolicyConfig, y: Array, decision: Array, amounts: Array | None) -> Array:
    """Return what each decision lost, shape (n,), in units of the amount.

    Parameters
    ----------
    policy : PolicyConfig
    y : ndarray (n,)
        0 or 1.
    decision : ndarray (n,)
        Index into ``model.decision.DECISIONS``.
    amounts : ndarray (n,), optional
    """
    approved = (decision == APPROVE) & (y == 1)
    losses: Array = approved * fraud_costs(policy, amounts, len(y))
    losses += (decision == REVIEW) * policy.review_cost
    losses += (decision == BLOCK) * (y == 0) * policy.friction
    return losses


@dataclass(frozen=True)
class Losses:
    """What the decisions lost in the mean of a transaction, and what approving all would have."""

    decisions: float
    approving: float

    @classmethod
    def of(
        cls, policy: PolicyConfig, y: Array, decision: Array, amounts: Array | None, weights: Array
    ) -> Losses:
        """Add up what rows lost; ``weights`` say what each stands for."""
        made = losses_of(policy, y, decision, amounts)
        approving = losses_of(policy, y, np.full(len(y), APPROVE), amounts)
        return cls(*(float(np.average(losses, weights=weights)) for losses in (made, approving)))


def is_fraud_priced(policy: PolicyConfig, spec: FeatureSpec) -> bool:
    """Return whether it is known what a fraud costs: by its amount, or because it was stated."""
    is_stated = policy.cost_per_fraud is not None or policy.amount_floor > 0
    return spec.amount is not None or is_stated


def refuse_two_prices(policy: PolicyConfig, spec: FeatureSpec) -> None:
    """Raise where a fraud would cost its amount and, as stated, something else.

    Raises
    ------
    ConfigurationError
        Naming the column of amounts.
    """
    if policy.cost_per_fraud is not None and spec.amount is not None:
        raise ConfigurationError(
            f"a fraud costs its {spec.amount!r} and the fee (--fee): --cost-per-fraud is for "
            f"tables without amounts; leave it out, or the amounts with --drop {spec.amount}"
        )
