"""The building blocks of the course "What is a variational autoencoder, really?".

Every estimate of the course is an average of one quantity, the log importance weight
log w = log p(x|z) + log p(z) - log q(z), z ~ q; see `vaecourse.estimators`.
"""

__version__ = "0.1.0"
