// By what a file is, where the form has a part for pictures and one for sounds.
#include "output/encoder.hpp"

#include <algorithm>
#include <cstdint>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "data/archives.hpp"
#include "data/loader.hpp"
#include "media/sound.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kKindBytes = 1 << 16;  // enough to tell any kind of file

}  // namespace

fs::path Encoder::renamed(const fs::path& place, const Input& input) const {
  fs::path name = place.stem();
  name += extension_of(input);
  return place.parent_path() / name;
}

media::FileBytes Encoder::encoded(const Input& input) const {
  media::FileBytes file = input.place ? data::read_whole_file(input.sample()) : read_whole_input(input.path);
  const std::string source = base::printable(input.path);
  if (keeps_form_) return prepare::prepare_if_needed(std::move(file), form_, source).bytes;
  if (file.empty()) throw Error(ErrorCode::kEmptyFile, source, "is empty: there is nothing to encode");
  if (form_.image) return prepare::prepared(media::decode_image(file, source), *form_.image, source);
  return prepare::prepared(media::decode_sound(file, source), *form_.sound);
}

bool Encoder::flows(const Input& input) const {
  const bool is_large = !input.place && data::num_bytes_of(input.sample()).value_or(0) >= kLargeBytes;
  return is_large && keeps_form_ && form_.is_bytes() && !form_.transforms.needs_whole_file();
}

/// By what the file is, where the form has both parts. What is neither a picture nor a sound can only be bare pixels.
fs::path Encoder::extension_of(const Input& input) const {
  const auto& [image, sound, transforms] = form_;
  if (!image && !sound) return fs::path(input.path).extension();
  if (!sound) return prepare::extension(image->encoding.format);
  if (!image) return prepare::extension(sound->encoding.format);
  base::InputFile file = data::open_file(input.sample());
  media::FileBytes start(static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), kKindBytes)));
  if (start.size() == file.size()) start.push_back(0);  // room to notice the end
  start.resize(file.read(start));
  const bool is_sound = media::sound_kind(start) && !media::image_kind(start);
  return prepare::extension(is_sound ? sound->encoding.format : image->encoding.format);
}

}  // namespace byteformer::cli
