#!/bin/sh
# Run and draw the gallery: draw.sh PROGRAMS RUNS PICTURES. What is there already is not run again.
set -eu
programs=$1 runs=$2 pictures=$3
here=$(dirname "$0")
mkdir -p "$runs" "$pictures"

run() { # NAME FILE [OPTIONS]
    name=$1 file=$2
    shift 2
    "$programs/fastmomentum" run "$file" -o "$runs/$name.h5" "$@"
}

draw() { # SCRIPT PICTURE NAME [OPTIONS]
    script=$1 picture=$2 name=$3
    shift 3
    "$programs/python" "$here/../$script.py" "$runs/$name.h5" -o "$pictures/$picture.png" \
        --style "$here/small.mplstyle" "$@"
}

draw_by() { # PICTURE COMMAND [OPTIONS]
    picture=$1
    shift
    "$@" -o "$pictures/$picture.png" --style "$here/small.mplstyle"
}

compare() { # NAME FILE
    "$programs/fastmomentum" compare "$2" -o "$runs/$1" --style "$here/small.mplstyle" --size 13x7.5
    cp "$runs/$1/comparison.png" "$pictures/$1.png"
}

run quadratic "$here/quadratic.toml"
draw plot_phase quadratic_rates quadratic --show rate --beside --size 16x6

run rosenbrock "$here/../phase_diagram.toml" --set grid.lr.num=1024 --set grid.momentum.num=1024
draw plot_phase phase_diagram rosenbrock

run coarse "$here/../phase_diagram.toml" --set grid.lr.num=257 --set grid.momentum.num=257
"$programs/fastmomentum" refine "$runs/coarse.h5" --levels 4 -o "$runs/refined.h5"
draw_by refined "$programs/fastmomentum" plot refined "$runs/refined.h5" --size 12x6

run himmelblau "$here/himmelblau.toml"
draw plot_basins himmelblau_basins himmelblau --over momentum

run cycle "$here/cycle.toml"
draw plot_loss cycle cycle --show distance --lr 0.1111 --momentum 0.4444 --start 3.3,1 \
    --lr 0.1111 --momentum 0.4444 --start 0.5,1 --lr 0.0769 --momentum 0 --start 3.3,1

draw_by polygon_cycles "$programs/fastmomentum" plot cycles

run heavy_ball "$here/heavy_ball.toml"
run nesterov "$here/heavy_ball.toml" --set rule.name=nesterov
draw plot_duel heavy_ball_nesterov heavy_ball "$runs/nesterov.h5"

# Nine rules on a grid of a million runs each.
compare optimisers "$here/optimisers.toml"

run linear_regression "$here/../linear_regression.toml"
draw plot_report old_faithful linear_regression --lr 0.01 --momentum 0.9 --start 0

for size in 1 8 64; do
    run "batches_of_$size" "$here/batches.toml" --set "batch.size=$size"
done
run all_rows "$here/batches.toml" --set batch.size=256 --set batch.draw=shuffle --set grid.seed=1
draw plot_batches batches all_rows "$runs/batches_of_1.h5" "$runs/batches_of_8.h5" \
    "$runs/batches_of_64.h5" --lr 0.01
