"""The shell script that builds a command's room inside fresh namespaces, and starts the command there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import join, quote

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
_ETC = (
    *("passwd", "group", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime"),
    *("ssl/certs", "java-*", "python3*", "perl", "mime.types", "protocols", "services", "terminfo"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_NOBODY = 65534
_ENVIRONMENT = {"PATH": PATH, "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "TERM": "dumb", "CI": "1"}


@dataclass(frozen=True, slots=True)
class Room:
    """What is to be built. `base` is a folder of our own with an empty folder `root`; `limiter` begins the command."""

    base: Path
    folders: Sequence[Path]
    covered: Sequence[Path]
    folder: Path
    command: str
    limiter: str
    scratch_bytes: int


def write_script(room: Room, *, is_root: bool) -> str:
    """The script; it creates `base/started` once everything is in place. `is_root`: no user namespace was made."""
    return "\n".join([*_build(room), *([] if is_root else _forbid_namespaces()), *_enter(room, is_root), ""])


def _build(room: Room) -> Iterator[str]:
    root = quote(str(room.base / "root"))
    yield "set -eu; umask 022"
    yield f"mount -t tmpfs -o size={room.scratch_bytes},mode=755 tmpfs {root}"
    yield f"cd {root}; mkdir proc dev dev/shm tmp etc etc/ssl old empty low up; : > nothing; chmod 000 nothing"
    yield _FUNCTIONS
    yield f"for path in {join(_SYSTEM)}; do show_system $path; done"
    yield f"cd /etc; for path in {' '.join(_ETC)}; do show_etc $path; done; cd {root}"
    yield f"for name in {join(_DEVICES)}; do : > dev/$name; mount --bind /dev/$name dev/$name; done"
    yield "for pair in fd: stdin:/0 stdout:/1 stderr:/2; do ln -s /proc/self/fd${pair#*:} dev/${pair%%:*}; done"
    yield "mount -t proc -o nosuid,nodev,noexec proc proc 2>/dev/null || true"
    yield f"mount -t tmpfs -o nosuid,nodev,mode=1777,size={room.scratch_bytes} tmpfs tmp"
    yield f"mount -t tmpfs -o nosuid,nodev,mode=755,size={room.scratch_bytes} tmpfs up"
    for number, folder in enumerate(sorted(room.folders)):
        yield f"show_folder {number} {quote(str(folder))}"
    for path in room.covered:
        yield f"cover {quote(str(path))}"
    yield "umount -l up; umount -l low 2>/dev/null || true"


_FUNCTIONS = r"""
lock() { # the flags a mount has are kept: without privilege they cannot be taken back
    case ",$(findmnt -no VFS-OPTIONS "$1" 2>/dev/null)," in *,noexec,*) extra=,noexec;; *) extra=;; esac
    mount -o "remount,bind,ro,nosuid,nodev$extra" "$1"
}
show_system() {
    if [ -L "$1" ]; then ln -s "$(readlink "$1")" ".$1"
    elif [ -d "$1" ]; then mkdir -p ".$1"; mount --rbind "$1" ".$1"; lock "$PWD$1"; fi
}
show_etc() {
    [ -e "$1" ] || return 0
    to="$OLDPWD/etc/$1"
    if [ -d "$1" ]; then mkdir -p "$to"; else : > "$to"; fi
    mount --rbind "/etc/$1" "$to"; lock "$to"
}
show_folder() {
    mkdir -p ".$2" "low/$1" "up/$1" "up/work$1"; chmod 777 "up/$1"
    mount --rbind "$2" "low/$1"
    layers="lowerdir=$PWD/low/$1,upperdir=$PWD/up/$1,workdir=$PWD/up/work$1"
    if mount -t overlay -o "nosuid,nodev,$layers" overlay ".$2" 2>/dev/null; then umount -l "low/$1"
    else umount -l "low/$1"; mount --rbind "$2" ".$2"; lock "$PWD$2"; fi
}
cover() {
    if [ -d ".$1" ]; then mount --bind empty ".$1"; elif [ -e ".$1" ]; then mount --bind nothing ".$1"; fi
}
""".strip()


def _forbid_namespaces() -> Iterator[str]:
    """No namespaces inside the namespace; the limit is that of our own user namespace alone."""
    yield "{ echo 0 > proc/sys/user/max_user_namespaces; } 2>/dev/null || true"


def _enter(room: Room, is_root: bool) -> Iterator[str]:
    yield "{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null || true"
    yield 'lock "$PWD"'
    yield f": > {quote(str(room.base / 'started'))}"
    yield "pivot_root . old; cd /; umount -l /old"
    yield f"cd {quote(str(room.folder))}"
    nobody = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"] if is_root else []
    rights = ["setpriv", *nobody, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
    environment = ["env", "-i", *(f"{name}={value}" for name, value in _ENVIRONMENT.items())]
    yield f"exec {room.limiter} {join([*rights, *environment, 'sh', '-c', room.command])}"
