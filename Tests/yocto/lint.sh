#!/bin/bash
# lint.sh FOLDER: oelint-adv, which goes to FOLDER, finds nothing in Yocto/meta-ticklog, whatever release it is used with.
set -eu
cd "$(dirname "$0")/../.."
work=$1
layer=Yocto/meta-ticklog
venv=$work/oelint
if [ ! -f "$venv/done" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check oelint-adv==9.11.2 oelint-parser==8.13.2 oelint-data==1.5.26
    touch "$venv/done"
fi
# What is not asked for: the project has no site yet; there is no network; nothing here is of use without a target.
suppress=()
for rule in var.mandatoryvar.HOMEPAGE var.suggestedvar.BUGTRACKER vars.homepageping var.bbclassextend; do
    suppress+=(--suppress "oelint.$rule")
done
mapfile -t files < <(git ls-files -co --exclude-standard "$layer" | grep -E '\.(bb|bbappend|conf)$')
[ "${#files[@]}" -ge 5 ] || { echo "$layer: found ${#files[@]} files" >&2; exit 1; }
releases=$(sed -n 's/^LAYERSERIES_COMPAT_ticklog = "\(.*\)"/\1/p' $layer/conf/layer.conf)
# The oldest and the newest.
for release in ${releases%% *} ${releases##* }; do
    code=0
    timeout 120 "$venv/bin/oelint-adv" --quiet --relpaths --jobs 1 --mode all --release "$release" "${suppress[@]}" "${files[@]}" \
        >"$work/oelint.log" 2>&1 || code=$?
    [ $code = 0 ] && [ ! -s "$work/oelint.log" ] || { echo "oelint-adv, $release, exit $code:" >&2; cat "$work/oelint.log" >&2; exit 1; }
done
