"""Exercises and quiz of notebook 10, "Does it work on a table?"."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical

from vaecourse.distributions import diagonal_normal
from vaecourse.exercises import Question
from vaecourse.exercises.engine import Exercise, Mistake, call, gradient, normal

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def table_log_likelihood(x_num, x_cat, loc, log_scale, cat_logits):
    numbers = diagonal_normal(loc, 2 * log_scale).log_prob(x_num)  # log sigma^2 = 2 log sigma
    category = Categorical(logits=cat_logits).log_prob(x_cat)
    return numbers + category


Rows = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def ordinary_rows() -> Rows:
    return normal(3, 4, seed=1), torch.tensor([4, 0, 5]), normal(3, 4, seed=2), 0.6 * normal(3, 4, seed=3) - 0.2, 1.5 * normal(3, 6, seed=4)


def wide_rows() -> Rows:
    x_num, _, loc, log_scale, cat_logits = ordinary_rows()
    return x_num, torch.tensor([1, 3, 2]), loc, log_scale.abs() + 0.25, cat_logits.flip(0)


def extreme_rows() -> Rows:
    """Logits of 1000 and -1000, columns far from where they are expected."""
    cat_logits = 1000 * torch.tensor([[1, -1, 1, -1, -1, 1], [-1, 1, -1, -1, 1, 1], [1, 1, -1, 1, -1, -1]], dtype=torch.float64)
    return 8 * normal(3, 4, seed=5), torch.tensor([2, 0, 3]), normal(3, 4, seed=6), 2 * normal(3, 4, seed=7), cat_logits


def _numbers(x: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """log N(x; loc, exp(log_scale)^2), column by column."""
    return -0.5 * ((x - loc) / log_scale.exp()).square() - log_scale - HALF_LOG_2PI


def _category(x: Tensor, logits: Tensor) -> Tensor:
    return -F.cross_entropy(logits, x, reduction="none")


def _pick(table: Tensor, x: Tensor) -> Tensor:
    return table.gather(1, x[:, None])[:, 0]


TABLE_LOG_LIKELIHOOD = Exercise(
    name="table_log_likelihood",
    statement=(
        "Write `table_log_likelihood(x_num, x_cat, loc, log_scale, cat_logits)`: the log-likelihood of each row of a table, in nats. The M columns of "
        "`x_num`, shape (B, M), are normal with means `loc` and standard deviations exp(`log_scale`), both (B, M); `x_cat`, shape (B,), holds one "
        "category in 0 … C−1 a row, with logits `cat_logits`, shape (B, C). Given $z$, columns are independent. The result has shape (B,)."
    ),
    stub='''def table_log_likelihood(x_num, x_cat, loc, log_scale, cat_logits):
    """x_num, loc, log_scale (B, M), x_cat (B,) whole numbers, cat_logits (B, C) -> log-likelihood of each row, (B,), in nats."""
    ...''',
    hints=(
        "Independent columns add their log-probabilities. Write the normal ones with all their constants, and take the category from a log-softmax.",
        "Σ_m [ −½ ((x_m − loc_m) / s_m)² − log s_m − ½ log 2π ] + logit of the category − log Σ_c exp(logit_c), with s = exp(log_scale).",
        "`log_cat = torch.log_softmax(cat_logits, 1)`, of which each row needs one entry.",
    ),
    reference=table_log_likelihood,
    axes="one number for each row",
    probes=(
        call("ordinary rows", ordinary_rows),
        call("scales above 1", wide_rows),
        call("logits of 1000 and -1000", extreme_rows),
        gradient("the gradient at ordinary rows", ordinary_rows, {2: "loc", 3: "log_scale", 4: "cat_logits"}),
    ),
    mistakes=(
        Mistake(
            "The constant ½ log 2π of every numeric column is missing: harmless in training, wrong in a report. The result is too high by 0.919 nats a column.",
            lambda x, c, loc, s, logits: table_log_likelihood(x, c, loc, s, logits) + x.shape[1] * HALF_LOG_2PI,
            "constant-missing",
        ),
        Mistake(
            "log_scale was taken for a log-variance. It is the logarithm of the standard deviation: the variance is exp(2 · log_scale).",
            lambda x, c, loc, s, logits: _numbers(x, loc, 0.5 * s).sum(1) + _category(c, logits),
            "log-scale-as-log-variance",
        ),
        Mistake(
            "The numeric columns are scored by minus their squared error alone. That says nothing of the scale: a normal has the scale under the square, its logarithm, and ½ log 2π.",
            lambda x, c, loc, s, logits: -(x - loc).square().sum(1) + _category(c, logits),
            "squared-error-alone",
        ),
        Mistake(
            "The numeric columns are scored by minus half their squared error, as if every scale were 1 (and without ½ log 2π). Divide by the scale, and subtract its logarithm.",
            lambda x, c, loc, s, logits: -0.5 * (x - loc).square().sum(1) + _category(c, logits),
            "half-squared-error",
        ),
        Mistake(
            "The scale is ignored: this is a normal of standard deviation 1 for every column.",
            lambda x, c, loc, s, logits: _numbers(x, loc, torch.zeros_like(s)).sum(1) + _category(c, logits),
            "scale-ignored",
        ),
        Mistake(
            "The term −log s is missing. Without it a large scale costs nothing, and training would let the scales grow for ever.",
            lambda x, c, loc, s, logits: (_numbers(x, loc, s) + s).sum(1) + _category(c, logits),
            "log-scale-missing",
        ),
        Mistake(
            "log_scale enters with the wrong sign: a wide normal is low everywhere, so log s is subtracted.",
            lambda x, c, loc, s, logits: (_numbers(x, loc, s) + 2 * s).sum(1) + _category(c, logits),
            "sign-of-log-scale",
        ),
        Mistake(
            "The squared error was divided by the scale. Divide by its square: the variance.",
            lambda x, c, loc, s, logits: (-0.5 * (x - loc).square() / s.exp() - s - HALF_LOG_2PI).sum(1) + _category(c, logits),
            "divided-by-scale",
        ),
        Mistake(
            "log_scale was taken for the scale itself. Exponentiate it first: a scale is never negative, and the logarithm of a negative number is NaN.",
            lambda x, c, loc, s, logits: (-0.5 * ((x - loc) / s).square() - s.log() - HALF_LOG_2PI).sum(1) + _category(c, logits),
            "log-scale-as-scale",
        ),
        Mistake(
            "The cross-entropy of the category is added. It is minus a log-probability: subtract it.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) - _category(c, logits),
            "sign-of-category",
        ),
        Mistake(
            'The cross-entropy was averaged over the rows, and this average subtracted from each of them. Every row has a category of its own: reduction="none".',
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _category(c, logits).mean(),
            "category-averaged",
        ),
        Mistake(
            'The cross-entropy was summed over the rows, and the sum subtracted from each of them. Every row has a category of its own: reduction="none".',
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _category(c, logits).sum(),
            "category-summed",
        ),
        Mistake(
            "The category is missing: these are the numeric columns alone.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1),
            "category-missing",
        ),
        Mistake(
            "The numeric columns are missing: this is the category alone.",
            lambda x, c, loc, s, logits: _category(c, logits),
            "numbers-missing",
        ),
        Mistake(
            "The logit of the category was added as it stands. A logit is no log-probability before log Σ exp of all logits of the row is subtracted.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _pick(logits, c),
            "logit-added",
        ),
        Mistake(
            "The probability of the category was added to the log-densities. Add its logarithm.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _pick(logits.softmax(1), c),
            "probability-added",
        ),
        Mistake(
            "The softmax runs over the rows of the table. It runs over the categories, the last axis: the probabilities of one row sum to 1.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _pick(logits.log_softmax(0), c),
            "softmax-over-rows",
        ),
        Mistake(
            "The categories are scored as C separate coins, by sigmoids. A row has exactly one category: its probabilities come from a softmax.",
            lambda x, c, loc, s, logits: (
                _numbers(x, loc, s).sum(1)
                - F.binary_cross_entropy_with_logits(logits, F.one_hot(c, logits.shape[1]).to(logits), reduction="none").sum(1)
            ),
            "sigmoids",
        ),
        Mistake(
            "The formula is right, and the softmax of a logit 2,000 below the largest is exactly 0: its logarithm is −inf. log_softmax does both in one step.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _pick(logits.softmax(1), c).log(),
            "underflow",
        ),
        Mistake(
            "log Σ exp of the logits was computed as it stands: exp(1000) is inf. logsumexp or log_softmax takes the largest logit out first.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).sum(1) + _pick(logits, c) - logits.exp().sum(1).log(),
            "overflow",
        ),
        Mistake(
            "This is minus the log-likelihood, as a loss would be. Asked for is the log-likelihood itself.",
            lambda x, c, loc, s, logits: -table_log_likelihood(x, c, loc, s, logits),
            "sign",
        ),
        Mistake(
            "The numeric columns are averaged. Independent columns add their log-densities: averaged, each weighs 1/M of what the category weighs.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s).mean(1) + _category(c, logits),
            "mean-over-columns",
        ),
        Mistake(
            "This is one number for the whole batch. Sum over the columns only, and keep one number for each row.",
            lambda x, c, loc, s, logits: table_log_likelihood(x, c, loc, s, logits).sum(),
            "one-number",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its rows. Keep one number for each row.",
            lambda x, c, loc, s, logits: table_log_likelihood(x, c, loc, s, logits).mean(),
            "one-mean",
        ),
        Mistake(
            "The numeric columns have not been summed, so the category was added to each of them. First one number a row, then the category.",
            lambda x, c, loc, s, logits: _numbers(x, loc, s) + _category(c, logits)[:, None],
            "not-summed",
        ),
    ),
)


def raw_log_likelihood(log_p, scales):
    return log_p - torch.log(scales).sum()


def ordinary_columns() -> tuple[Tensor, Tensor]:
    return 3 * normal(3, seed=8) - 5, torch.tensor([6.5, 0.25, 12.0, 3.0], dtype=torch.float64)


def many_columns() -> tuple[Tensor, Tensor]:
    """The product of these scales, 2 ** -3850, is 0 in every format; their logarithms are harmless."""
    exponents = torch.tensor([-10.0] * 390 + [5.0] * 10, dtype=torch.float64)
    return 300 * normal(3, seed=9), 2**exponents


RAW_LOG_LIKELIHOOD = Exercise(
    name="raw_log_likelihood",
    statement=(
        "Each numeric column was standardised: its mean was subtracted, and the rest divided by its scale. Write `raw_log_likelihood(log_p, scales)`: the "
        "log-density of each row in raw units, in nats. `log_p`, shape (B,), is the log-density of the standardised rows; `scales`, shape (M,), "
        "holds the scale of each column; the result has shape (B,). It must be right for hundreds of columns as well."
    ),
    stub='''def raw_log_likelihood(log_p, scales):
    """log_p (B,) of the standardised columns, scales (M,) they were divided by -> log-density in raw units, (B,), in nats."""
    ...''',
    hints=(
        "Measure heights in centimetres instead of metres: the same probability spreads over a hundred times as many units. Does a density rise or fall?",
        "With u_m = (x_m − mean_m) / s_m: p(x) = p(u) · Π_m |∂u_m / ∂x_m| = p(u) / Π_m s_m. Then take logarithms.",
        "`log_volume = torch.log(scales).sum()`, the same for every row.",
    ),
    reference=raw_log_likelihood,
    axes="one number for each row",
    probes=(
        call("four columns", ordinary_columns),
        call("400 columns", many_columns),
    ),
    mistakes=(
        Mistake(
            "The Jacobian enters with the wrong sign. In raw units the density spreads over a range s times as wide, so it is lower: subtract log s.",
            lambda log_p, scales: log_p + scales.log().sum(),
            "sign-of-jacobian",
        ),
        Mistake(
            "This is the log-density of the standardised columns, as it came. A change of units changes a density: the scales must enter.",
            lambda log_p, scales: log_p.clone(),
            "unchanged",
        ),
        Mistake(
            "The product of the scales was subtracted, not its logarithm. Divided densities are subtracted log-densities: take the logarithm of the scales.",
            lambda log_p, scales: log_p - scales.prod(),
            "product-subtracted",
        ),
        Mistake(
            "The scales themselves were subtracted. Take their logarithms first.",
            lambda log_p, scales: log_p - scales.sum(),
            "scales-subtracted",
        ),
        Mistake(
            "The log-density was divided by the product of the scales. It is the density that is divided; in logarithms that is a subtraction.",
            lambda log_p, scales: log_p / scales.prod(),
            "density-divided",
        ),
        Mistake(
            "This subtracts the logarithm of the sum of the scales. The volume is their product, so the logarithms are added up.",
            lambda log_p, scales: log_p - scales.sum().log(),
            "log-of-sum",
        ),
        Mistake(
            "The logarithms of the scales are averaged over the columns. Each column stretches the volume: sum them.",
            lambda log_p, scales: log_p - scales.log().mean(),
            "mean-over-columns",
        ),
        Mistake(
            "The scales were taken for variances, and only half of their logarithms was subtracted. They are what the columns were divided by: subtract log s, whole.",
            lambda log_p, scales: log_p - 0.5 * scales.log().sum(),
            "scales-as-variances",
        ),
        Mistake(
            "Twice the logarithm of each scale was subtracted, as for variances. A length along one column stretches by s, not by s².",
            lambda log_p, scales: log_p - 2 * scales.log().sum(),
            "scales-squared",
        ),
        Mistake(
            "The logarithm of the mean scale was taken, once for each column. The volume is the product of the scales: sum their own logarithms.",
            lambda log_p, scales: log_p - len(scales) * scales.mean().log(),
            "log-of-mean",
        ),
        Mistake(
            "The logarithms have base 2. log_p is in nats: use the natural logarithm.",
            lambda log_p, scales: log_p - scales.log2().sum(),
            "base-two",
        ),
        Mistake(
            "The logarithms have base 10. log_p is in nats: use the natural logarithm.",
            lambda log_p, scales: log_p - scales.log10().sum(),
            "base-ten",
        ),
        Mistake(
            "Only scales above 1 (or the absolute logarithms) were taken into account. A scale below 1 has a negative logarithm, which makes the raw density higher.",
            lambda log_p, scales: log_p - scales.log().abs().sum(),
            "large-scales-alone",
        ),
        Mistake(
            "The scales were multiplied before the logarithm, and the product of 400 of them is 0 (or inf). Sum the logarithms.",
            lambda log_p, scales: log_p - scales.prod().log(),
            "product-first",
        ),
        Mistake(
            "The columns have not been summed: this is one number for each row and column.",
            lambda log_p, scales: log_p[:, None] - scales.log(),
            "not-summed",
        ),
        Mistake(
            "This is one number for the whole batch, a mean over its rows. Keep one number for each row.",
            lambda log_p, scales: (log_p - scales.log().sum()).mean(),
            "one-mean",
        ),
        Mistake(
            "The result was divided by the number of columns. Asked for is the log-density of the whole row.",
            lambda log_p, scales: (log_p - scales.log().sum()) / len(scales),
            "divided-by-columns",
        ),
        Mistake(
            "This is minus the log-density, as a loss would be. Asked for is the log-density itself.",
            lambda log_p, scales: scales.log().sum() - log_p,
            "sign",
        ),
        Mistake(
            "This is the density itself, not its logarithm.",
            lambda log_p, scales: (log_p - scales.log().sum()).exp(),
            "no-logarithm",
        ),
    ),
)

EXERCISES = (TABLE_LOG_LIKELIHOOD, RAW_LOG_LIKELIHOOD)

QUIZ = (
    Question(
        "Cross-entropy or squared error for a column of heights in centimetres?",
        (
            ("Cross-entropy, as for pixels.", "Cross-entropy is the likelihood of coins and categories. A height is neither."),
            (
                "Squared error: it makes no assumption.",
                "It is the log-density of a normal with a fixed scale that nobody has stated, up to constants.",
            ),
            (
                "A normal whose scale is learned.",
                "Then the model also says how far off it expects to be, and this column gets its fair weight beside the others.",
            ),
        ),
        2,
    ),
    Question(
        "Model A is trained on heights in metres, model B on centimetres. B's log-density is 4.6 nats lower for each row. Which is better?",
        (
            ("A, by 4.6 nats.", "Densities in different units cannot be compared as they stand."),
            ("Neither: log 100 is 4.6.", "The unit alone makes this difference. In the same unit both say the same."),
            ("B, as lower is better.", "A higher log-likelihood is better. And here the units differ."),
        ),
        1,
    ),
    Question(
        "The log-likelihood of a table comes out positive. Is that an error?",
        (
            ("Yes: probabilities are at most 1.", "Densities are no probabilities. A narrow normal has a density far above 1."),
            ("Yes, unless every column is categorical.", "The other way round: of categories alone it could never be positive."),
            (
                "No: a density may exceed 1.",
                "Numeric columns have densities, and those depend on the unit. Only for coins, counts and categories is 0 the ceiling.",
            ),
        ),
        2,
    ),
    Question(
        "A column has the same value in many rows, and its scale is learned without a floor. What may happen?",
        (
            (
                "The likelihood grows without bound.",
                "Where the mean hits that value, the density grows as the scale falls to 0. Give the scale a floor.",
            ),
            ("The scale settles at 1.", "Nothing pulls it to 1: the narrower, the higher the density of those rows."),
            ("The scale grows without bound.", "The term −log s punishes a large scale."),
        ),
        0,
    ),
)
