#!/bin/sh
# Who may use whom: a file of src/<layer>/ includes its own layer's headers and lower layers' only; cli/ and
# examples/ include their own headers, <wick/...> and the system's.
#   layers.sh ROOT
set -u
root=$1
cd "$root" || exit 1

files=$(find src cli examples -name '*.[ch]' 2>/dev/null | sort)
[ -n "$files" ] || { echo "no sources in $root"; exit 1; }
# shellcheck disable=SC2086
awk '
    BEGIN {
        # Layers of one rank stand beside each other and may not use each other.
        rank["base"] = 0; rank["tensor"] = 1
        rank["image"] = 1.5
        rank["data"] = rank["format"] = rank["cpu"] = rank["gpu"] = 2
        rank["nn"] = 3; rank["plan"] = 4; rank["optim"] = 5; rank["train"] = rank["plot"] = 6; rank["bench"] = 7

        # From which rank on a public header may be used. Losses belong to nn, and are declared in train.h.
        public["status.h"] = public["context.h"] = 0
        public["tensor.h"] = public["random.h"] = 1
        public["image.h"] = 1.5
        public["data.h"] = public["checkpoint.h"] = 2
        public["module.h"] = public["train.h"] = 3
        public["report.h"] = public["run.h"] = public["plot.h"] = 6; public["bench.h"] = 7
        # Libraries that one layer only may use.
        only["curl/curl.h"] = "data"
        only["nettle/sha2.h"] = "base"
        only["png.h"] = only["jpeglib.h"] = only["jerror.h"] = "image"
        only["cairo.h"] = only["cairo/cairo.h"] = only["pango/pangocairo.h"] = "plot"
        # And within it one file.
        file["cairo.h"] = file["cairo/cairo.h"] = file["pango/pangocairo.h"] = "src/plot/canvas_cairo.c"
        # plot shows what others have worked out: it has no business with how. And nobody below cli draws.
        hidden["plot"] = "^(format|cpu|gpu|plan|optim|bench)$"
        drawn["plot.h"] = drawn["report.h"] = "plot"
    }
    function wrong(why) {
        printf "%s:%d: %s: %s\n", FILENAME, FNR, name, why
        bad = 1
    }
    function check_layer(layer,    parts, other) {
        if (!(layer in rank)) {
            wrong("src/" layer " is not a known layer")
        } else if (quoted) {
            if (split(name, parts, "/") != 2)
                wrong("is not of the form \"layer/file.h\"")
            other = parts[1]
            if (!(other in rank))
                wrong("there is no layer " other)
            else if (other != layer && rank[other] >= rank[layer])
                wrong("src/" layer " may not use src/" other)
            else if (layer in hidden && other ~ hidden[layer])
                wrong("src/" layer " may not use src/" other)
        } else if (name ~ /^wick\//) {
            sub(/^wick\//, "", name)
            if (!(name in public))
                wrong("is no public header that src/ may include")
            else if (public[name] > rank[layer])
                wrong("src/" layer " stands below what this declares")
            else if (name in drawn && layer != drawn[name])
                wrong("only src/" drawn[name] " may use this")
        } else if (name in only && only[name] != layer) {
            wrong("only src/" only[name] " may use this")
        } else if (name in file && FILENAME != file[name]) {
            wrong("only " file[name] " may use this")
        }
    }
    function check_outside(folder) {
        if (quoted && name ~ /\//)
            wrong(folder "/ may include only its own headers, <wick/...> and the system\47s")
        else if (!quoted && name ~ /_internal\.h$|^(base|tensor|data|image|format|cpu|gpu|nn|plan|optim|train|plot|bench)\//)
            wrong(folder "/ may not reach past the public headers")
        else if (name in only)
            wrong("only src/" only[name] " may use this")
    }
    /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
        includes++
        quoted = $0 ~ /include[ \t]*"/
        name = $0
        sub(/^[^<"]*[<"]/, "", name)
        sub(/[>"].*$/, "", name)
        split(FILENAME, path, "/")
        if (path[1] == "src")
            check_layer(path[2])
        else
            check_outside(path[1])
    }
    END {
        printf "%d includes\n", includes
        exit bad || includes == 0
    }' $files
