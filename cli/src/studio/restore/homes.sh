#!/usr/bin/env bash
# tidegate studio restore: copies home folders
#
# From domain @OLD_DOMAIN@ to domain @NEW_DOMAIN@.
#
# Each home folder lies on its domain's EFS file system under the user id of its profile or space, and the new domain
# has given other ids. This copies each folder to its new id, and makes the new id the owner of everything in it.
#
# Where: on a Linux machine (Amazon Linux 2023 on EC2, say) from which both file systems can be reached: in a subnet
# that leads to the mount targets of both, with the security groups for NFS of both domains (named
# security-group-for-outbound-nfs-<domain id>). With rsync, and with amazon-efs-utils for mounting:
#   sudo dnf install -y rsync amazon-efs-utils
#
# When: while no application of either domain runs. What is written during the copy may be missed.
#
#   sudo bash THIS --dry-run     what would be copied; changes nothing
#   sudo bash THIS               copies; after an interruption it goes on where it was
#   sudo bash THIS --verify      compares the contents of all files; exit code 1 if any differ
#
# Nothing is ever deleted, neither there nor here, and a file that is newer in the new home is left as it is.
# Exit codes: 0 done, 1 some folders failed or differ, 2 wrong usage or machine, 130 after Ctrl-C.

set -euo pipefail

old_file_system=@OLD_FILE_SYSTEM@
new_file_system=@NEW_FILE_SYSTEM@

# kind, name, user id in the old domain, user id in the new one
homes() {
@HOMES@
}

usage() {
  cat <<'USAGE'
usage: sudo bash SCRIPT [--dry-run | --verify] [options]
  --only KIND/NAME          only this folder, such as profile/ann; may be repeated
  --old-file-system FS      read from this one instead, such as one that AWS Backup has restored
  --old-folder PATH         where the homes lie on it, such as /aws-backup-restore_2026-11-21T17-00-00-000000000Z
  --old-mount-options LIST  more options for mounting it, such as mounttargetip=10.0.0.7 or iam
  --new-mount-options LIST  the same for the new one
  --old-mounted DIR         it is mounted there already: nothing is mounted
  --new-mounted DIR         the same for the new one
USAGE
}

say() { printf '%s\n' "$*" >&2; }

wrong() {
  say "error: $*"
  exit 2
}

mode=copy
only=()
old_folder=/
old_options=
new_options=
old_root=
new_root=
mounted=()
made=()
copied=0
absent=0
failed=0

# Unmounts what was mounted here, and removes the folders made for it if they are empty.
leave() {
  local folder
  for folder in ${mounted[@]+"${mounted[@]}"}; do
    umount -- "$folder" || say "warning: $folder is still mounted"
  done
  for folder in ${made[@]+"${made[@]}"}; do
    rmdir -- "$folder" 2>/dev/null || true
  done
}

mount_here() { # file system, options; leaves the folder in $mount_point
  local file_system=$1 options=$2
  command -v mount.efs >/dev/null || wrong 'mount.efs is missing: install amazon-efs-utils, or give --old-mounted and --new-mounted'
  mount_point=$(mktemp -d /tmp/tidegate-homes.XXXXXXXX)
  made+=("$mount_point")
  mount -t efs -o "$options" -- "$file_system":/ "$mount_point" || wrong "$file_system cannot be mounted: are its mount targets within reach, and the security groups right?"
  mounted+=("$mount_point")
}

wanted() { # kind, name
  local one
  ((${#only[@]} == 0)) && return 0
  for one in "${only[@]}"; do
    [[ $one == "$1/$2" ]] && return 0
  done
  return 1
}

home() { # kind, name, old id, new id
  local what="$1/$2" from="$old_root/$3/" to="$new_root/$4/" differing
  wanted "$1" "$2" || return 0
  if [[ ! -d $from || -L ${from%/} ]]; then
    say "$what: nothing there under $3"
    absent=$((absent + 1))
    return 0
  fi
  # As root, a link would lead anywhere.
  if [[ -L ${to%/} || (-e ${to%/} && ! -d ${to%/}) ]]; then
    say "error: $what: $4 is no folder on the new file system"
    failed=$((failed + 1))
    return 0
  fi
  # Numbers as they are; all files become the new user's, and so do the groups that had the old user's number.
  local options=(--recursive --links --perms --group --owner --numeric-ids "--usermap=*:$4" "--groupmap=$3:$4")
  if [[ $mode != verify ]]; then options+=(--times --hard-links --update); fi
  case $mode in
    dry-run)
      say "$what: $3 -> $4"
      options+=(--dry-run --itemize-changes)
      ;;
    verify)
      differing=$(rsync "${options[@]}" --dry-run --checksum --itemize-changes -- "$from" "$to") || differing='rsync failed'
      if [[ -n $differing ]]; then
        say "error: $what: differs:"
        printf '%s\n' "$differing"
        failed=$((failed + 1))
      else
        copied=$((copied + 1))
      fi
      return 0
      ;;
    *)
      say "$what: copying $3 -> $4"
      ;;
  esac
  if rsync "${options[@]}" -- "$from" "$to"; then
    copied=$((copied + 1))
  else
    say "error: $what: rsync failed; run this again"
    failed=$((failed + 1))
  fi
}

argument() { # option, number of arguments that are left
  (($2 >= 2)) || wrong "$1 needs a value"
}

folder() { # option, path
  [[ -d $2 && ! $2 -ef / ]] || wrong "$1: $2 is no folder that something could be mounted on"
  printf '%s\n' "${2%/}"
}

main() {
  while (($# > 0)); do
    case $1 in
      --dry-run) mode=dry-run ;;
      --verify) mode=verify ;;
      --only | --old-file-system | --old-folder | --old-mount-options | --new-mount-options | --old-mounted | --new-mounted)
        argument "$1" $#
        case $1 in
          --only) only+=("$2") ;;
          --old-file-system) old_file_system=$2 ;;
          --old-folder) old_folder=/${2#/} ;;
          --old-mount-options) old_options=,$2 ;;
          --new-mount-options) new_options=,$2 ;;
          --old-mounted) old_root=$(folder "$1" "$2") ;;
          --new-mounted) new_root=$(folder "$1" "$2") ;;
        esac
        shift
        ;;
      -h | --help)
        usage
        exit 0
        ;;
      *)
        usage >&2
        wrong "$1 is no option"
        ;;
    esac
    shift
  done
  ((EUID == 0)) || wrong 'only root can read all homes and give them owners: run it with sudo'
  command -v rsync >/dev/null || wrong 'rsync is missing: install it'
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local mount_point
  if [[ -z $old_root ]]; then
    mount_here "$old_file_system" "tls,ro$old_options"
    old_root=$mount_point
  fi
  if [[ -z $new_root ]]; then
    mount_here "$new_file_system" "tls$new_options"
    new_root=$mount_point
  fi
  old_root=$old_root${old_folder%/}
  [[ -d $old_root ]] || wrong "there is no folder $old_root"
  [[ -d $new_root ]] || wrong "there is no folder $new_root"
  homes
  case $mode in
    dry-run) say "$copied would be copied, $absent have nothing to copy, $failed cannot be" ;;
    verify) say "$copied are equal, $absent have nothing to compare, $failed differ" ;;
    *) say "$copied copied, $absent had nothing to copy, $failed failed" ;;
  esac
  ((failed == 0))
}

# The last line: half a script does nothing.
main "$@"
