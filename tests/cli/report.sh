# report.html in every run's folder, and of several runs together. What is on a page is looked at in tests/plot.
mkidx tiny train=100 test=40
wick train --data ./tiny --model v0 --epochs 2 --out runs/one >/dev/null
wick train --data ./tiny --model v2 --hidden-units 3 --epochs 1 --out runs/two >/dev/null
expect_file runs/one/report.html runs/two/report.html
wick train --data ./tiny --model v0 --epochs 1 --no-figures --out runs/none >/dev/null
[ ! -e runs/none/report.html ] || echo "a page, though none was wanted"
# The numbers of results.json are on the page.
for key in accuracy model_acc; do
    number=$(jsonget $key <runs/one/results.json | awk '{ printf "%.2f", $1 }')
    grep -q "<dd>$number %</dd>" runs/one/report.html || echo "no $key $number"
done
grep -c '<tr><td>[0-9]*</td><td>' runs/one/report.html
grep -o 'wick train --model v0 --data .* --seed 42' runs/one/report.html | sed "s|$PWD|HERE|"
# The command on the page makes the same weights.
sh -c "$(grep -o 'wick train --model v0 --data .* --seed 42' runs/one/report.html) --out again --no-figures" >/dev/null
cmp runs/one/model.pth again/model.pth && echo "the same weights"
# What was made of pictures is part of it.
mkfolder pictures train=20 test=10 seed=2
wick train --data pictures --image-size 20x18 --channels 1 --epochs 1 --batch-size 8 --augment crop=1,flip,erase=0.5 --normalize auto \
    --drop-last --tta flip --out runs/made >/dev/null
made=$(sed 's/<[^>]*>//g' runs/made/report.html | grep -o 'wick train --model v2 --data .*')
echo "$made" | sed "s|$PWD|HERE|; s/--normalize [^ ]*/--normalize N/"
sh -c "$made --out made --no-figures" >/dev/null
cmp runs/made/model.pth made/model.pth && echo "the same weights"
sed 's/<[^>]*>/ /g' runs/made/report.html | grep -cE "^ *(Images made +20x18|Channels made +1|Augmentation +crop=1,flip,erase=0.5|Normalised .*:.*) *$"
# Each picture's file is named.
grep -oE 'image [0-9]+, test/[a-z]+/[0-9]+\.(png|jpg)' runs/made/report.html | while IFS=' ,' read -r word number path; do
    [ -f "pictures/$path" ] || echo "there is no pictures/$path"
    echo named
done | sort | uniq -c | sed 's/^ *[1-9][0-9]* /some /'
mv runs/made made-run
# An evaluation writes the same page anew, the steps' losses with it.
wick eval runs/one --report page.html >/dev/null
cmp runs/one/report.html page.html
echo "# several"
wick compare runs/one runs/two runs/none --report runs/report.html | without_figures
grep -c '<tr><th scope="row">' runs/report.html
grep -o 'href="[^"]*"' runs/report.html | sort -u
echo "# the notebook's"
wick notebook --data ./tiny --epochs 1 --out book --json >/dev/null
expect_file book/report.html book/model_0/report.html book/model_1/report.html book/model_2/report.html
grep -o 'href="[^"]*"' book/report.html | sort -u
wick notebook --data ./tiny --epochs 1 --no-figures --out plain --json >/dev/null
find plain -name '*.html' -o -name '*.png'
echo "# nothing is fetched, nothing runs"
cat runs/*/report.html runs/report.html book/report.html | grep -ciE '<script|https?:|javascript:|@import|url\('
echo "# wrong usage"
try wick compare runs/one --report none/report.html
try wick eval runs/one --report page.html --data ./tiny
try wick eval runs/one/model.pth --model v0 --report page.html
