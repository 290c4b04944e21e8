# complete.zsh FOLDER: zsh's completion offers the right words, asked in a terminal as its user would.
zmodload zsh/zpty
fpath=($1 $fpath)
export TERM=dumb
zpty shell zsh -f -i
zpty -w shell "PROMPT=; RPROMPT=; stty -echo 2>/dev/null; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u; zstyle ':completion:*' list-prompt ''; LISTMAX=1000; echo ready-now"
typeset out= chunk=
integer tries
until [[ $out == *ready-now*ready-now* || tries -gt 200 ]]; do zpty -r -t shell chunk && out+=$chunk || { sleep 0.05; (( tries++ )) }; done
ask() { # EXPECTED TYPED
    out= tries=0
    zpty -w -n shell "$2"$'\t'
    until [[ $out == *$1* || tries -gt 200 ]]; do zpty -r -t shell chunk && out+=${chunk//[^[:print:]]/} || { sleep 0.05; (( tries++ )) }; done
    zpty -w -n shell $'\x15'
    [[ $out == *$1* ]] || { print -r "zsh, $2: found ${(q)out}, expected $1"; exit 1 }
}
ask 'ticklog validate' 'ticklog val'
ask '--format=' 'ticklog cat --forma'
ask 'jsonl' 'ticklog cat --format=js'
zpty -d shell
