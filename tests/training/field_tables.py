"""Small made-up tables that look like the public ones of the field."""

from __future__ import annotations

import numpy as np
import pandas as pd

N_ROWS = 600
START = pd.Timestamp("2026-03-02")


def _frauds(rng: np.random.Generator, share: float = 0.1) -> np.ndarray:
    return (rng.random(N_ROWS) < share).astype(int)


def creditcard() -> pd.DataFrame:
    """Return a table like that of European card holders: components, Time, Amount, Class."""
    rng = np.random.default_rng(1)
    frauds = _frauds(rng)
    components = {f"V{n}": rng.normal(size=N_ROWS) + (n < 3) * frauds for n in range(1, 6)}
    return pd.DataFrame(
        {
            "Time": np.arange(N_ROWS) * 37.0,
            **components,
            "Amount": np.round(rng.lognormal(3, 1, N_ROWS), 2),
            "Class": frauds,
        }
    )


def paysim() -> pd.DataFrame:
    """Return a table like PaySim's: hours as steps, balances before and after, two parties."""
    rng = np.random.default_rng(2)
    frauds = _frauds(rng)
    amount = np.round(rng.lognormal(7, 1, N_ROWS), 2)
    before = np.round(rng.lognormal(8, 1, N_ROWS), 2)
    return pd.DataFrame(
        {
            "step": np.sort(rng.integers(1, 700, N_ROWS)),
            "type": rng.choice(["PAYMENT", "TRANSFER", "CASH_OUT"], N_ROWS),
            "amount": amount,
            "nameOrig": [f"C{n:09d}" for n in rng.integers(0, 10**9, N_ROWS)],
            "oldbalanceOrg": before,
            "newbalanceOrig": np.where(frauds, before, np.maximum(before - amount, 0)),
            "nameDest": [f"M{n:09d}" for n in rng.integers(0, 150, N_ROWS)],
            "isFraud": frauds,
            "isFlaggedFraud": frauds * (rng.random(N_ROWS) < 0.05),
        }
    )


def ieee_cis() -> pd.DataFrame:
    """Return a table like that of IEEE-CIS: seconds from some day, cards as numbers, gaps."""
    rng = np.random.default_rng(3)
    frauds = _frauds(rng)
    device = rng.choice(["desktop", "mobile"], N_ROWS)
    return pd.DataFrame(
        {
            "TransactionID": 2_987_000 + np.arange(N_ROWS),
            "isFraud": frauds,
            "TransactionDT": 86_400 + np.sort(rng.integers(0, 10**6, N_ROWS)),
            "TransactionAmt": np.round(rng.lognormal(4, 1, N_ROWS), 3),
            "ProductCD": rng.choice(list("WCHRS"), N_ROWS),
            "card1": rng.integers(1000, 1150, N_ROWS),
            "card4": rng.choice(["visa", "mastercard"], N_ROWS),
            "P_emaildomain": rng.choice(["gmail.com", "yahoo.com"], N_ROWS),
            "C1": rng.poisson(1 + 2 * frauds),
            "DeviceType": pd.Series(device).where(rng.random(N_ROWS) < 0.3),
        }
    )


def bank_accounts() -> pd.DataFrame:
    """Return a table like the bank account fraud suite: months, no amount that is at stake."""
    rng = np.random.default_rng(4)
    frauds = _frauds(rng)
    return pd.DataFrame(
        {
            "fraud_bool": frauds,
            "income": rng.choice([0.1, 0.5, 0.9], N_ROWS),
            "name_email_similarity": rng.random(N_ROWS),
            "customer_age": rng.choice([20, 30, 40, 50], N_ROWS),
            "credit_risk_score": rng.normal(150, 60, N_ROWS) + 60 * frauds,
            "payment_type": rng.choice(["AA", "AB", "AC"], N_ROWS),
            "device_os": rng.choice(["linux", "windows", "other"], N_ROWS),
            "device_fraud_count": 0,
            "month": np.repeat(np.arange(6), N_ROWS // 6),
        }
    )


def shop() -> pd.DataFrame:
    """Return a table like that of e-commerce fraud: sign-up and purchase, devices, addresses."""
    rng = np.random.default_rng(5)
    frauds = _frauds(rng)
    purchase = START + pd.to_timedelta(rng.integers(0, 10**7, N_ROWS), "s")
    age = pd.to_timedelta(rng.integers(0, 10**7, N_ROWS), "s")
    devices = np.array([f"D{n:011d}" for n in range(N_ROWS)], dtype=object)
    return pd.DataFrame(
        {
            "user_id": rng.permutation(10 * N_ROWS)[:N_ROWS],
            "signup_time": (purchase - age).strftime("%Y-%m-%d %H:%M:%S"),
            "purchase_time": purchase.strftime("%Y-%m-%d %H:%M:%S"),
            "purchase_value": rng.integers(9, 150, N_ROWS),
            "device_id": devices[rng.integers(0, N_ROWS, N_ROWS)],
            "source": rng.choice(["SEO", "Ads", "Direct"], N_ROWS),
            "browser": rng.choice(["Chrome", "Opera"], N_ROWS),
            "sex": rng.choice(["M", "F"], N_ROWS),
            "age": rng.integers(18, 70, N_ROWS) + 5 * frauds,
            "ip_address": rng.integers(0, 2**32, N_ROWS // 2).astype(float)[
                rng.integers(0, N_ROWS // 2, N_ROWS)
            ],
            "class": frauds,
        }
    )


def sparkov() -> pd.DataFrame:
    """Return a table like Sparkov's: card numbers, a transaction number, names, places."""
    rng = np.random.default_rng(6)
    frauds = _frauds(rng)
    moments = pd.date_range(START, periods=N_ROWS, freq="17min")
    return pd.DataFrame(
        {
            "trans_date_trans_time": moments.strftime("%Y-%m-%d %H:%M:%S"),
            "cc_num": rng.integers(10**15, 10**16, 90)[rng.integers(0, 90, N_ROWS)],
            "merchant": rng.choice([f"fraud_{name}" for name in "abcdef"], N_ROWS),
            "category": rng.choice(["grocery_pos", "misc_net"], N_ROWS),
            "amt": np.round(rng.lognormal(3, 1, N_ROWS) * (1 + 2 * frauds), 2),
            "gender": rng.choice(["M", "F"], N_ROWS),
            "city_pop": rng.integers(100, 10**6, N_ROWS),
            "trans_num": [f"{n:032x}" for n in rng.integers(0, 2**62, N_ROWS)],
            "unix_time": moments.astype("int64") // 10**9,
            "is_fraud": frauds,
        }
    )


def handbook() -> pd.DataFrame:
    """Return a table like that of the fraud detection handbook, with its scenario of the fraud."""
    rng = np.random.default_rng(7)
    frauds = _frauds(rng)
    moments = pd.date_range(START, periods=N_ROWS, freq="23min")
    return pd.DataFrame(
        {
            "TRANSACTION_ID": np.arange(N_ROWS),
            "TX_DATETIME": moments.strftime("%Y-%m-%d %H:%M:%S"),
            "CUSTOMER_ID": rng.integers(0, 100, N_ROWS),
            "TERMINAL_ID": rng.integers(0, 200, N_ROWS),
            "TX_AMOUNT": np.round(rng.lognormal(3, 1, N_ROWS) * (1 + frauds), 2),
            "TX_TIME_SECONDS": np.arange(N_ROWS) * 1380,
            "TX_TIME_DAYS": np.arange(N_ROWS) * 1380 // 86_400,
            "TX_FRAUD": frauds,
            "TX_FRAUD_SCENARIO": frauds * rng.integers(1, 4, N_ROWS),
        }
    )


FIELD_TABLES = {
    "creditcard": creditcard,
    "paysim": paysim,
    "ieee_cis": ieee_cis,
    "bank_accounts": bank_accounts,
    "shop": shop,
    "sparkov": sparkov,
    "handbook": handbook,
}
