// Keeps the same random positions of every picture of a size.
#include "prepare/camera.hpp"

#include <utility>
#include <vector>

namespace byteformer::prepare {

SeenPicture seen_through(const bytes::PositionMask& mask, media::Image image) {
  const std::vector<bool> is_kept = bytes::kept_positions(mask, image.rgb.size());
  SeenPicture seen{.image = std::move(image)};
  for (std::size_t i = 0; i < is_kept.size(); ++i) {
    if (is_kept[i])
      ++seen.num_kept;
    else
      seen.image.rgb[i] = 0;
  }
  return seen;
}

}  // namespace byteformer::prepare
