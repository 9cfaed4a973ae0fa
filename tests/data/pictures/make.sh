#!/usr/bin/env bash
# Makes the pictures of this folder, and beside each the pixels that it must decode to (NAME.rgb, 13 x 9 pixels or as said
# in index.txt), by programs that share no code with byteformer: python3, ImageMagick, libtiff's, libwebp's and libjpeg's tools.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.rgb ./*.png ./*.jpg ./*.tiff ./*.webp ./*.gif ./*.bmp ./*.p?m index.txt
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

python3 - "$work" <<'PYTHON'
import struct, sys
work, w, h = sys.argv[1], 13, 9
rgb = [(x * 255 // (w - 1), y * 255 // (h - 1), (x * 31 + y * 17) % 256) for y in range(h) for x in range(w)]
grey = [(x * 19 + y * 3) % 256 for y in range(h) for x in range(w)]
alpha = [(x * 40 + y * 11) % 256 for y in range(h) for x in range(w)]
deep = [tuple(c * 257 if (i + k) % 2 else min(c * 257 + 100, 65535) for k, c in enumerate(p)) for i, p in enumerate(rgb)]
few = [((x // 4) * 80, (y // 3) * 120, 40) for y in range(h) for x in range(w)]
bits = [(x * x + y) % 3 == 0 for y in range(h) for x in range(w)]
flat = lambda pixels: bytes(c for p in pixels for c in p)
over = lambda p, a: tuple(int((c * a + 255 * (255 - a)) / 255 + 0.5) for c in p)
save = lambda name, data: open(name, 'wb').write(data)

def pam(name, depth, maxval, kind, data):
    save(f'{work}/{name}.pam', f'P7\nWIDTH {w}\nHEIGHT {h}\nDEPTH {depth}\nMAXVAL {maxval}\nTUPLTYPE {kind}\nENDHDR\n'.encode() + data)
pam('rgb', 3, 255, 'RGB', flat(rgb))
pam('grey', 1, 255, 'GRAYSCALE', bytes(grey))
pam('rgba', 4, 255, 'RGB_ALPHA', flat(p + (a,) for p, a in zip(rgb, alpha)))
pam('greya', 2, 255, 'GRAYSCALE_ALPHA', flat(zip(grey, alpha)))
pam('rgb16', 3, 65535, 'RGB', b''.join(struct.pack('>3H', *p) for p in deep))
pam('few', 3, 255, 'RGB', flat(few))
pam('bits', 1, 255, 'GRAYSCALE', bytes(255 * (not b) for b in bits))
holes = [p + (0 if p[0] == 80 else 255,) for p in few]
pam('holes', 4, 255, 'RGB_ALPHA', flat(holes))

save('rgb.rgb', flat(rgb)); save('grey.rgb', flat((g,) * 3 for g in grey)); save('few.rgb', flat(few))
save('rgba.rgb', flat(over(p, a) for p, a in zip(rgb, alpha)))
save('greya.rgb', flat(over((g,) * 3, a) for g, a in zip(grey, alpha)))
save('rgb16.rgb', flat(tuple(int(c / 257 + 0.5) for c in p) for p in deep))
save('bits.rgb', flat((255 * (not b),) * 3 for b in bits))
save('holes.rgb', flat((255,) * 3 if p[3] == 0 else p[:3] for p in holes))
percent = [tuple(c * 100 // 255 for c in p) for p in rgb]
save('percent.rgb', flat(tuple(int(c * 255 / 100 + 0.5) for c in p) for p in percent))

text = lambda values: '\n'.join(' '.join(map(str, values[i:i + 12])) for i in range(0, len(values), 12))
save('bits_text.pbm', f'P1\n# a comment\n{w} {h}\n'.encode() + ''.join('01'[b] for b in bits).encode() + b'\n')
save('grey_text.pgm', f'P2 {w} {h} # another\n255\n{text(grey)}\n'.encode())
save('percent_text.ppm', f'P3\n{w} {h}\n100\n{text([c for p in percent for c in p])}\n'.encode())
rows = b''.join(int(''.join('01'[b] for b in bits[y * w:(y + 1) * w]).ljust(16, '0'), 2).to_bytes(2, 'big') for y in range(h))
save('bits.pbm', f'P4\n{w} {h}\n'.encode() + rows)
save('grey.pgm', f'P5\n{w}\t{h}\n255\n'.encode() + bytes(grey))
save('rgb.ppm', f'P6 {w} {h} 255\n'.encode() + flat(rgb))
save('rgb16.ppm', f'P6 {w} {h} 65535\n'.encode() + b''.join(struct.pack('>3H', *p) for p in deep))
PYTHON

entry() { echo "$1 $2 ${3:-13} ${4:-9}" >>index.txt; }   # file, its pixels, width, height
same() { convert "$work/$2.pam" "${@:4}" "$3$1"; entry "$1" "$2.rgb"; }
entry bits_text.pbm bits.rgb; entry grey_text.pgm grey.rgb; entry percent_text.ppm percent.rgb; entry bits.pbm bits.rgb
entry grey.pgm grey.rgb; entry rgb.ppm rgb.rgb; entry rgb16.ppm rgb16.rgb

same rgb.png rgb png24: -strip
same grey.png grey '' -strip
same bits.png bits '' -strip -depth 1
same palette.png few png8: -strip
same holes.png holes png8: -strip
same rgba.png rgba png32: -strip
same greya.png greya '' -strip -define png:color-type=4
same rgb16.png rgb16 png48: -strip
same interlaced.png rgba png32: -strip -interlace PNG

same strips.tiff rgb '' -compress none -define tiff:rows-per-strip=2
same big_endian.tiff rgb '' -compress none -define tiff:endian=msb
same lzw.tiff rgb '' -compress lzw
same deflate.tiff rgb '' -compress zip
same packbits.tiff few '' -compress rle
tiffcp -t -w 16 -l 16 -c lzw strips.tiff tiles.tiff; entry tiles.tiff rgb.rgb
same planes.tiff rgb '' -compress none -interlace plane
same grey.tiff grey '' -compress none
same bits.tiff bits '' -compress group4 -monochrome
same palette.tiff few '' -compress none -type palette
same rgb16.tiff rgb16 '' -compress none -depth 16
same rgba.tiff rgba '' -compress none
tiffcp -8 strips.tiff big.tiff; entry big.tiff rgb.rgb

same plain.gif few ''
same interlaced.gif few '' -interlace GIF
same holes.gif holes ''
convert -size 13x9 xc:none -page +0+0 "$work/few.pam" "$work/rgb.pam" -delete 0 -loop 0 animated.gif; entry animated.gif few.rgb

same rgb.bmp rgb bmp3: -type truecolor
same palette.bmp few bmp3: -type palette
same rgba.bmp rgba bmp: -type truecoloralpha
same old.bmp rgb bmp2: -type truecolor

cwebp -quiet -lossless -exact "$work/rgba.pam" -o lossless.webp; entry lossless.webp rgba.rgb
cwebp -quiet -lossless "$work/few.pam" -o "$work/few.webp"; cwebp -quiet -lossless "$work/rgb.pam" -o "$work/rgb.webp"
webpmux -frame "$work/few.webp" +100 -frame "$work/rgb.webp" +100 -o animated.webp; entry animated.webp few.rgb

# Lossy ones: what the reference programs make of them.

cjpeg -quality 80 -sample 2x2 -outfile baseline.jpg rgb.ppm
cjpeg -quality 80 -progressive -sample 1x1 -outfile progressive.jpg rgb.ppm
cjpeg -quality 80 -restart 1 -sample 2x1 -outfile restarts.jpg rgb.ppm
cjpeg -quality 80 -arithmetic -outfile arithmetic.jpg rgb.ppm
cjpeg -quality 80 -outfile grey.jpg grey.pgm
convert "$work/rgb.pam" -colorspace CMYK -strip -quality 80 cmyk.jpg
for name in baseline progressive restarts arithmetic grey cmyk; do
  djpeg -pnm "$name.jpg" >"$work/out.pnm"; convert "$work/out.pnm" -type truecolor -depth 8 "rgb:$name.jpg.rgb"; entry "$name.jpg" "$name.jpg.rgb"
done
cwebp -quiet -q 70 "$work/rgb.pam" -o lossy.webp; dwebp -quiet lossy.webp -ppm -o "$work/out.ppm"
convert "$work/out.ppm" -depth 8 rgb:lossy.webp.rgb; entry lossy.webp lossy.webp.rgb
cwebp -quiet -q 70 "$work/rgba.pam" -o lossy_alpha.webp; dwebp -quiet lossy_alpha.webp -pam -o "$work/out.pam"
python3 - "$work/out.pam" <<'PYTHON'
import sys
data = open(sys.argv[1], 'rb').read().split(b'ENDHDR\n', 1)[1]
out = bytes(int((data[i + c] * data[i + 3] + 255 * (255 - data[i + 3])) / 255 + 0.5) for i in range(0, len(data), 4) for c in range(3))
open('lossy_alpha.webp.rgb', 'wb').write(out)
PYTHON
entry lossy_alpha.webp lossy_alpha.webp.rgb

# Orientations: stored as in rgb.rgb; what ImageMagick makes of the tag.
number=0
for orientation in top-left top-right bottom-right bottom-left left-top right-top right-bottom left-bottom; do
  number=$((number + 1)); size="13 9"; [ $number -lt 5 ] || size="9 13"
  convert "$work/rgb.pam" -compress none -orient $orientation "orientation_$number.tiff"
  convert "orientation_$number.tiff" -auto-orient -depth 8 "rgb:orientation_$number.rgb"
  entry "orientation_$number.tiff" "orientation_$number.rgb" $size
done
