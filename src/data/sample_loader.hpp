// How a sample becomes the file that the model is to see in training. Behind the loader, whose threads call it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "data/loader.hpp"

namespace byteformer::data {

/// Loads single samples: read, decoded, changed at random, mixed with others, encoded and transformed. Thread-safe.
class SampleLoader {
 public:
  /// Both must live as long as this.
  SampleLoader(const std::vector<Sample>& samples, const LoaderOptions& options)
      : samples_(samples), options_(options) {}

  /// Sample `index` as it comes at `place` of the order of `epoch`: the same whenever and by whom it is called.
  LoadedFile load(std::size_t epoch, std::size_t place, std::size_t index) const;

 private:
  std::string source_of(std::size_t index) const;
  media::FileBytes encoded(std::size_t index, base::Random& random, LoadedFile& file) const;
  media::Image image(const media::FileBytes& bytes, const std::string& source, base::Random& random) const;
  media::Sound sound(media::Sound decoded, base::Random& random) const;
  void paste_other(media::Image& first, base::Random& random, LoadedFile& file) const;
  void mix_other(media::Sound& first, base::Random& random, LoadedFile& file) const;
  void cut(media::FileBytes& bytes, base::Random& random) const;

  const std::vector<Sample>& samples_;
  const LoaderOptions& options_;
};

}  // namespace byteformer::data
