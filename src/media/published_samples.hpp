// The rounding that the published pipeline gives to float samples, in WAV and before MP3.
#pragma once

namespace byteformer::media {

/// In [-1, 1]; silence where there is no number.
float saturated(float x) noexcept;

/// `x` on the grid of 2^-24 that the published code writes as float32; saturated to [-1, 1].
float published_float(float x) noexcept;

}  // namespace byteformer::media
