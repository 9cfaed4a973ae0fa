#!/usr/bin/env bash
# Makes the sounds of this folder from one tone by sox, flac, ffmpeg and lame; tone.f32 are its samples as the 16-bit files hold
# them (value / 32768), and index.txt lists: file, rate, number of samples, and how far its samples may be from tone.f32.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.wav ./*.flac ./*.ogg ./*.opus ./*.mp3 ./*.aiff ./*.aifc ./*.au ./*.caf ./*.f32 index.txt
python3 - <<'PYTHON'
import math, struct, wave
n, rate = 1600, 16000
samples = [round(12000 * math.sin(i * 0.13) + 9000 * math.sin(i * 0.011 + 1)) for i in range(n)]
open('tone.f32', 'wb').write(struct.pack(f'<{n}f', *(s / 32768 for s in samples)))
def write(name, width, channels, frames):
    with wave.open(name, 'wb') as out:
        out.setnchannels(channels); out.setsampwidth(width); out.setframerate(rate); out.writeframes(frames)
write('int16.wav', 2, 1, struct.pack(f'<{n}h', *samples))
write('uint8.wav', 1, 1, bytes((s >> 8) + 128 for s in samples))
write('int24.wav', 3, 1, b''.join((s * 256).to_bytes(3, 'little', signed=True) for s in samples))
write('int32.wav', 4, 1, struct.pack(f'<{n}i', *(s * 65536 for s in samples)))
# Left and right differ by 2 * 500 around the tone, so that their mean is the tone.
write('stereo.wav', 2, 2, struct.pack(f'<{2 * n}h', *(v for s in samples for v in (s + 500, s - 500))))
PYTHON
entry() { echo "$1 16000 ${3:-1600} $2" >>index.txt; }
entry int16.wav 0; entry int24.wav 0; entry int32.wav 0; entry stereo.wav 0
entry uint8.wav 0.0079
sox -D int16.wav -e floating-point -b 32 float32.wav; entry float32.wav 0
sox -D int16.wav -e floating-point -b 64 float64.wav; entry float64.wav 0
sox -D int16.wav -e mu-law mulaw.wav; entry mulaw.wav 0.03
sox -D int16.wav tone.flac; entry tone.flac 0
sox -D stereo.wav stereo.flac; entry stereo.flac 0
sox -D int16.wav tone.aiff; entry tone.aiff 0
sox -D int16.wav -e floating-point -b 32 tone.aifc; entry tone.aifc 0
sox -D int16.wav tone.au; entry tone.au 0
sox -D int16.wav tone.caf; entry tone.caf 0
sox -D int16.wav -B big_endian.wav; entry big_endian.wav 0
ffmpeg -v error -i int16.wav -bitexact -c:a libvorbis -q:a 5 -f ogg - >vorbis.ogg; entry vorbis.ogg 0.1
ffmpeg -v error -i int16.wav -bitexact -c:a libopus -b:a 64k -application audio -f ogg - >tone.opus; entry tone.opus 0.1
lame --quiet -b 64 int16.wav tone.mp3; entry tone.mp3 0.05
lame --quiet -b 64 --id3v2-only --tt title int16.wav tagged.mp3; entry tagged.mp3 0.05
