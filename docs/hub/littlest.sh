#!/bin/sh
# Settings of The Littlest JupyterHub (https://tljh.jupyter.org) for this course, run on the hub as an administrator.
# Say first where the course lies: COURSE=https://example.org/vaecourse.git sh littlest.sh
set -eu
: "${COURSE:?set COURSE to the address of a git repository with the course}"

# The course and torch without CUDA, in the environment that all students share.
sudo -E /opt/tljh/user/bin/pip install --extra-index-url https://download.pytorch.org/whl/cpu "vaecourse[notebooks] @ git+$COURSE"
sudo -E /opt/tljh/user/bin/pip install nbgitpuller nbgrader

# A kernel needs up to 1 GB and its server 0.15 GB: a limit below 2 GB ends kernels. One core each is enough.
sudo tljh-config set limits.memory 2G
sudo tljh-config set limits.cpu 1

# Idle servers are stopped after half an hour: their memory is what limits the number of students.
sudo tljh-config set services.cull.enabled True
sudo tljh-config set services.cull.timeout 1800

sudo tljh-config set user_environment.default_app jupyterlab
sudo tljh-config reload
