mkidx tiny train=128 test=64
wick notebook --data ./tiny --epochs 1 --hidden-units 4 >out
sed -n '/^## /p' out
sed '/^Figures: /d; /^Page: /d' out | tail -8 | without_figures
find runs -type f | without_pictures | sort
sed 's/,[0-9][0-9.]*\(e-[0-9]*\)*/,N/g' runs/notebook/compare.csv
grep -c 'Equal to the last digit: True' out
# The same seed, the same chapter.
wick notebook --data ./tiny --epochs 1 --hidden-units 4 >again
for file in out again; do
    without_seconds <$file | sed '/training_time/,/Run:/d; s|runs/notebook2*|RUN|; /^[0-2]  Fashion/d' >$file.text
done
diff out.text again.text && echo "the same"
wick notebook --data ./tiny --epochs 1 --hidden-units 4 --out mine --json >json
jsonget run models.length models.2.model_name models.0.epochs.length classes.length reloaded_is_close <json
try wick notebook --data ./tiny --epochs 1 --out mine
