# Sourced. without_swift FOLDER: PATH becomes FOLDER, with everything that the system has but what is called swift.
without_swift() {
    local folder program
    mkdir -p "$1"
    for folder in /usr/local/bin /usr/bin /bin; do
        for program in "$folder"/*; do
            case ${program##*/} in *swift*) ;; *) [ -e "$1/${program##*/}" ] || ln -s "$program" "$1/" ;; esac
        done
    done
    export PATH=$1
    for program in swift swiftc swift-build; do
        ! command -v $program || { echo "$program is on the PATH of a test that must not need it" >&2; exit 1; }
    done
}
