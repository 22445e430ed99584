# steps.csv: each step's loss, a part of them where there are very many, and all of it after a run was stopped.
mkidx tiny train=100 test=10 side=4
train="wick train --data ./tiny --model v0 --epochs 4 --no-figures"
# A run that has a checkpoint after so many of its 16 steps: a log that cannot be written stops it.
stopped() { # FOLDER STEPS
    $train --out "$1" --checkpoint-every "$2" --log-steps /dev/full >/dev/null 2>&1
}
$train --out whole --log-steps log >/dev/null
sed 1d whole/steps.csv | cut -d, -f2 | cmp - log && echo "every step's loss"
cut -d, -f1 whole/steps.csv | tr '\n' ' '
echo
for steps in 1 3 8; do
    stopped run$steps $steps
    wick train --resume run$steps --no-figures >/dev/null
    cmp whole/steps.csv run$steps/steps.csv && echo "the same after $steps"
done
# Newer than the checkpoint: what was after it comes again.
stopped newer 4
cp whole/steps.csv newer
wick train --resume newer --no-figures >/dev/null
cmp whole/steps.csv newer/steps.csv && echo "the same"
# Missing, cut or broken: the run goes on, without.
for how in missing cut broken; do
    stopped $how 6
    case $how in
    missing) rm $how/steps.csv ;;
    cut) sed -i 4q $how/steps.csv ;;
    broken) echo nonsense >$how/steps.csv ;;
    esac
    try wick train --resume $how --no-figures | tail -1
    cmp whole/model.pth $how/model.pth
    ls $how
done
# Each of these is no file of losses.
for text in '' 'step,loss\n1,2\n' 'H,2\n' 'Hx,2\n' 'H0,2\n' 'H1\n' 'H1,\n' 'H1,x\n' 'H1,2' 'H1,2 \n' 'H1,2,3\n' 'H2,1\n3,1\n' \
    'H2,1\n5,1\n' 'H1,2\n1,2\n' 'H99999999999999999999,1\n' 'H1,0.0000000000000000000000000000000000000000000000000000000000000001\n'; do
    rm -rf row
    stopped row 6
    case $text in H*) text="step,train_loss\n${text#H}" ;; esac
    printf "$text" >row/steps.csv
    wick train --resume row --no-figures >/dev/null || echo "not gone on with: $text"
    cmp whole/model.pth row/model.pth
    [ ! -e row/steps.csv ] || echo "taken: $text"
done
# A folder in its place, and links, which are not followed in a run's folder.
for how in folder link loop; do
    stopped $how 6
    rm $how/steps.csv
    case $how in
    folder) mkdir $how/steps.csv ;;
    link) ln -s ../whole/steps.csv $how/steps.csv ;;
    loop) ln -s steps.csv $how/steps.csv ;;
    esac
    try wick train --resume $how --no-figures | tail -2
done
cmp whole/steps.csv newer/steps.csv
# More than 65536: every second, whether it was stopped or not.
mkidx big train=70000 test=10 side=2 classes=2
train="wick train --data ./big --model v0 --hidden-units 2 --batch-size 1 --epochs 1 --no-figures"
$train --out bigger --log-steps log >/dev/null
awk 'NR % 2 == 0 { print NR "," $1 }' log >wanted
sed 1d bigger/steps.csv | cmp - wanted && wc -l <wanted
stopped before 66000
cp -r before many
{ echo step,train_loss; seq 66000 | sed 's/$/,1/'; } >many/steps.csv
wick train --resume many --no-figures >/dev/null
[ ! -e many/steps.csv ] || echo "taken: too many"
wick train --resume before --no-figures >/dev/null
cmp bigger/steps.csv before/steps.csv && echo "the same"
