// RandAugment: which operation, how strong, which way.
#include <cmath>

#include "data/image_operations.hpp"

namespace byteformer::data {
namespace {

constexpr int kNumOperations = 14;
constexpr double kMaxMagnitude = 30;

/// Applies the operation of number `operation` at `level` (0 to 1), in the direction of `sign` (1 or -1).
void apply(media::Image& image, int operation, double level, int sign) {
  const double signed_level = sign * level;
  constexpr double kMaxShear = 0.3;
  constexpr double kMaxTranslation = 150.0 / 331;  // of the side
  constexpr double kMaxDegrees = 30;
  constexpr double kMaxAdjustment = 0.9;
  constexpr double kMaxLostBits = 4;
  switch (operation) {
    case 0: return;  // Identity
    case 1: return transform(image, {.b = kMaxShear * signed_level});
    case 2: return transform(image, {.d = kMaxShear * signed_level});
    case 3: return transform(image, {.c = -std::trunc(kMaxTranslation * image.width * signed_level)});
    case 4: return transform(image, {.f = -std::trunc(kMaxTranslation * image.height * signed_level)});
    case 5: return rotate(image, kMaxDegrees * signed_level);
    case 6: return adjust_brightness(image, 1 + kMaxAdjustment * signed_level);
    case 7: return adjust_color(image, 1 + kMaxAdjustment * signed_level);
    case 8: return adjust_contrast(image, 1 + kMaxAdjustment * signed_level);
    case 9: return adjust_sharpness(image, 1 + kMaxAdjustment * signed_level);
    case 10: return posterize(image, 8 - static_cast<int>(std::nearbyint(kMaxLostBits * level)));
    case 11: return solarize(image, 255 * (1 - level));
    case 12: return auto_contrast(image);
    default: return equalize(image);
  }
}

}  // namespace

void rand_augment(media::Image& image, int operations, int magnitude, base::Random& random) {
  for (int i = 0; i < operations; ++i) {
    const auto operation = static_cast<int>(random.below(kNumOperations));
    const int sign = random.chance(0.5) ? 1 : -1;
    apply(image, operation, magnitude / kMaxMagnitude, sign);
  }
}

}  // namespace byteformer::data
