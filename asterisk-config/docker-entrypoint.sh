#!/bin/sh
# Fills ${RM_…} in the configuration from the environment, makes the music on hold, and becomes Asterisk.
set -eu
umask 077

base=/srv/asterisk
export RM_ETC_DIR=$base/etc RM_VAR_DIR=$base/var RM_SPOOL_DIR=$base/spool RM_RUN_DIR=$base/run RM_LOG_DIR=$base/log RM_MOH_DIR=$base/moh
RM_MODULE_DIR=$(dirname "$(find /usr/lib -name chan_pjsip.so -path '*/asterisk/modules/*' | head -n 1)")
export RM_MODULE_DIR
mkdir -p "$RM_ETC_DIR" "$RM_VAR_DIR/keys" "$RM_SPOOL_DIR" "$RM_RUN_DIR" "$RM_LOG_DIR" "$RM_MOH_DIR"

for file in /usr/share/ringmaster/etc/*.conf; do
  perl -pe 's/\$\{(RM_[A-Z0-9_]+)\}/defined $ENV{$1} ? $ENV{$1} : die "$ARGV:$.: no value for $1\n"/ge' \
    "$file" > "$RM_ETC_DIR/$(basename "$file")"
done

# Ten seconds of 1700 Hz, signed linear, 8000 samples a second.
perl -e 'binmode STDOUT; print pack("s<*", map { int(8191 * sin(2 * 3.14159265358979 * 1700 * $_ / 8000)) } 0 .. 79999)' \
  > "$RM_MOH_DIR/tone.sln"

exec asterisk -f -C "$RM_ETC_DIR/asterisk.conf"
