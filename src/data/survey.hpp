// A look at the training files before anything is decided: what they are, how long, how large.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/data_set.hpp"

namespace byteformer::data {

/// Numbers of a sample of the files, each list sorted.
struct Survey {
  std::size_t num_looked_at = 0;
  std::map<std::string, std::size_t> kinds;  ///< "jpeg", "wav", ...; "other" for what is neither picture nor sound
  std::size_t num_images = 0, num_sounds = 0;
  std::vector<std::int64_t> bytes;
  std::vector<int> widths, heights, shorter_sides;  ///< of pictures
  bool all_images_equal = true;                     ///< one width and height
  std::vector<double> durations_s;                  ///< of sounds
  std::vector<int> sample_rates;
  /// Of the files that are largest on disk, looked at or not: one in ten thousand can be longer than all others.
  std::int64_t most_bytes = 0;
  double longest_s = 0;                                ///< of sounds
  std::map<std::string, std::string> first_of_medium;  ///< the first of the pictures, of the sounds and of the others
  struct Failures {
    std::size_t count = 0;
    std::string first;  ///< which file, and why
  };
  std::map<std::string, Failures> failures;  ///< of files that could not be read, by their kind

  /// The files that are no pictures where most are, and so on, or that could not be read, in words, each kind once;
  /// empty if there are none.
  std::string disagreement() const;

  double image_share() const { return share(num_images); }
  double sound_share() const { return share(num_sounds); }

 private:
  double share(std::size_t count) const {
    return num_looked_at == 0 ? 0 : static_cast<double>(count) / static_cast<double>(num_looked_at);
  }
};

struct SurveyOptions {
  bool decodes = true;  ///< false where files are taken as they are: all are of one medium, and none can be damaged
  std::size_t most_files = 400;
};

/// Looks at up to `most_files` files, evenly spread, and at the few largest; decodes them to know their dimensions, but
/// none that training would refuse as too large, and reads about a gigabyte in all. Damaged ones are left out and
/// counted. A clip counts by its own length, and noise (class `background`) only where there is nothing else.
Survey look_at(const DataSet& data, const SurveyOptions& options = {});

/// The value below which `fraction` of a sorted list lies; 0 for an empty one.
template <typename T>
T quantile(const std::vector<T>& sorted, double fraction) {
  if (sorted.empty()) return T{};
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(fraction * last))];
}

}  // namespace byteformer::data
