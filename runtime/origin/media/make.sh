#!/bin/sh
# Makes the embedded media of the test origin: three video renditions and one
# audio track, each one loop of LOOP seconds with a closed group of pictures
# per second. Needs ffmpeg with libx264, drawtext and a DejaVu font.
#
# The loop must hold whole AAC frames: 1024 samples at 48 kHz, so a multiple of
# 8 s. The number of IDR pictures must be even, because idr_pic_id alternates
# and neighbours across the loop point must differ.
set -eu
cd "$(dirname "$0")"

LOOP=16
RATE=25
FONT=${FONT:-/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf}
FRAGMENTED="+frag_keyframe+empty_moov+default_base_moof"
EXACT="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# video NAME WIDTH HEIGHT KBITS LEVEL
video() {
  text="drawtext=fontfile=$FONT:fontcolor=white:box=1:boxcolor=black@0.7:boxborderw=8:fontsize=h/8:x=(w-tw)/2:y=h*0.62:timecode='00\:00\:00\:00':rate=$RATE"
  label="drawtext=fontfile=$FONT:fontcolor=yellow:box=1:boxcolor=black@0.7:boxborderw=6:fontsize=h/9:x=w*0.05:y=h*0.06:text='$1'"
  for pass in 1 2; do
    # Without B-frames decoding order is presentation order, so every segment
    # begins at exactly the time its place in the timeline says.
    # shellcheck disable=SC2086
    ffmpeg -v error -y -f lavfi -i "testsrc2=size=${2}x${3}:rate=$RATE:duration=$LOOP" \
      -vf "$text,$label,format=yuv420p" -an \
      -c:v libx264 -preset veryslow -profile:v main -level:v "$5" -threads 1 \
      -b:v "${4}k" -maxrate "$(($4 * 13 / 10))k" -bufsize "${4}k" \
      -g $RATE -keyint_min $RATE -sc_threshold 0 -bf 0 -x264-params open_gop=0 \
      -pass $pass -passlogfile "$tmp/$1" \
      -bsf:v filter_units=remove_types=6 $EXACT \
      -movflags "$FRAGMENTED" -f mp4 "$tmp/$1.mp4"
  done
  mv "$tmp/$1.mp4" "$1.mp4"
}

# The tones of the two channels complete whole cycles in a loop and beep once a
# second. Three loops are encoded and the middle one is kept: an encoder's
# state runs across a loop point that way, and no click is heard there.
audio() {
  # shellcheck disable=SC2086
  ffmpeg -v error -y \
    -f lavfi -i "sine=frequency=440:beep_factor=2:sample_rate=48000:duration=$((LOOP * 3))" \
    -f lavfi -i "sine=frequency=554:beep_factor=2:sample_rate=48000:duration=$((LOOP * 3))" \
    -filter_complex "[0][1]amerge=inputs=2" -c:a aac -b:a 64k $EXACT -f adts "$tmp/audio.aac"
  # shellcheck disable=SC2086
  ffmpeg -v error -y -i "$tmp/audio.aac" -ss "$LOOP" -frames:a "$((LOOP * 48000 / 1024))" \
    -c:a copy -bsf:a aac_adtstoasc $EXACT -movflags +delay_moov+default_base_moof -frag_duration 1000000 -f mp4 "$tmp/audio.mp4"
  mv "$tmp/audio.mp4" audio.mp4
}

video 240p 426 240 200 2.1
video 360p 640 360 340 3.0
video 480p 854 480 560 3.1
audio
ls -l ./*.mp4
