# Weights in a file, with what is said of their images, are what they are in their run.
mkfolder pictures train=40 test=20 seed=5
mkfolder grey train=4 test=4 seed=6 grey=1
model='Sequential(Flatten(), Linear(120, 8), ReLU(), Linear(8, 3))'
wick train --data pictures --image-size 10x12 --channels 1 --normalize 0.4:0.3 --model "$model" --epochs 3 --out run --no-figures >/dev/null

# Runs a command on the run and on its file, told what the run knows, and compares what they print of these keys.
same() {
    command=$1 keys=$2 told=$3
    shift 3
    wick $command run "$@" --json | jsonget $keys >of_run
    wick $command run/model.pth "$@" --model "$model" --image-size 10x12 --normalize 0.4:0.3 $told --json | jsonget $keys >of_file
    cmp of_run of_file && grep -c . of_file
}
same eval 'model_loss model_acc accuracy correct count confusion_matrix' '--data pictures --channels 1'
same eval 'predictions model_acc' '--channels 1' --data pictures --predictions 3
same errors 'count wrong errors.0.probabilities errors.7.prediction pairs' '--data pictures --channels 1'
mkpic picture.png class=5 color=1 width=60 height=40 light=1
same predict 'pictures.0.probabilities pictures.0.class' '--data pictures --channels 1' picture.png
# (explain's --channels is another; these pictures are grey as they are.)
same explain 'probabilities layers.1.shape' '' --data grey --index 3
echo "# of a known set, which need not be there"
mkidx small train=40 test=10 side=14
wick train --data ./small --normalize 0.4:0.3 --model 'Sequential(Flatten(), Linear(196, 10))' --epochs 1 --out idx --no-figures >/dev/null
wick predict idx picture.png --invert off --json | jsonget pictures.0.probabilities >of_run
wick predict idx/model.pth picture.png --invert off --data cifar10 --channels 1 --image-size 14 --normalize 0.4:0.3 \
    --model 'Sequential(Flatten(), Linear(196, 10))' --json | jsonget pictures.0.probabilities >of_file
cmp of_run of_file && grep -c . of_file
echo "# what was not said, or wrong"
file="wick eval run/model.pth --data pictures --model"
try $file "$model"
try $file "$model" --image-size 10x12
try $file "$model" --image-size 10y
try $file "$model" --image-size 10x12 --channels 2
try $file "$model" --image-size 10x12 --channels 1 --normalize auto
try wick errors run/model.pth --data grey --model "$model" --image-size 10x12 --normalize 0.4,0.4,0.4:1,1,1
echo "# of a run"
try wick eval run --image-size 10x12
try wick errors run --channels 3
try wick predict run picture.png --normalize 0.4:0.3
try wick explain run picture.png --image-size 12
