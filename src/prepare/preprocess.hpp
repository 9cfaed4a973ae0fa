// What a model's files look like, and how any picture or sound becomes one: the `preprocess` object of config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"
#include "bytes/transforms.hpp"
#include "media/image.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"

namespace byteformer::prepare {

/// File formats that we write; each stands for the ending of the same name (jpeg: .jpg).
enum class FileFormat { kTiff, kPng, kJpeg, kFhwc, kFchw, kWav, kMp3 };

std::string_view to_string(FileFormat format) noexcept;  ///< "tiff", ..., "mp3"
std::string_view extension(FileFormat format) noexcept;  ///< ".tiff", ".jpg", ...
bool is_image(FileFormat format) noexcept;

/// \throws Error kInvalidArgument naming those that exist.
FileFormat parse_file_format(std::string_view name);

/// How to encode: only the options of the format matter.
struct Encoding {
  FileFormat format = FileFormat::kTiff;
  int quality = 100;                                                ///< JPEG
  media::SampleFormat sample_format = media::SampleFormat::kInt16;  ///< WAV
  bool operator==(const Encoding&) const = default;
};

struct ImagePreparation {
  std::optional<int> resize;  ///< shorter side, pixels
  std::optional<int> crop;    ///< side of the square in the middle, pixels
  Encoding encoding;
  bool operator==(const ImagePreparation&) const = default;
};

struct SoundPreparation {
  std::optional<int> sample_rate;    ///< Hz
  std::optional<double> duration_s;  ///< cut or extended by zeros
  Encoding encoding{.format = FileFormat::kWav};
  bool operator==(const SoundPreparation&) const = default;
};

/// Files of any kind (neither part), pictures, sounds, or both for a joint model; and what then becomes of their bytes.
struct Preprocess {
  std::optional<ImagePreparation> image;
  std::optional<SoundPreparation> sound;
  bytes::Transforms transforms = {};

  bool is_bytes() const noexcept { return !image && !sound; }
  bool takes_files_as_they_are() const noexcept { return is_bytes() && transforms.empty(); }
  bool operator==(const Preprocess&) const = default;
};

/// Reads the JSON text of the object; empty text means files as they are. `source` stands in messages.
/// In the joint kind `encoding` is the picture's and `audio_encoding` the sound's.
/// \throws Error kInvalidFormat naming the key; kUnsupported for a later version.
Preprocess parse_preprocess(std::string_view json, const std::string& source);

/// Reads the JSON text of its list `transforms` alone. \throws Error as parse_preprocess().
bytes::Transforms parse_transforms(std::string_view json, const std::string& source);

/// What the configuration of the model in `model_dir` says of its files.
/// \throws Error as format::read_config() and parse_preprocess().
Preprocess read_preprocess(const std::filesystem::path& model_dir);

/// The JSON text of the object, keys in the order of the parts; empty for files as they are. A secret key
/// stands there as its fingerprint.
std::string to_json(const Preprocess& preprocess);

/// Its list `transforms` alone, as JSON in one line.
std::string transforms_json(const bytes::Transforms& transforms);

/// "TIFF of 32x32 pixels" or "WAV int16 of 1 s at 8000 Hz with bytes reversed": what a person should know of the
/// model's files.
std::string describe(const Preprocess& preprocess);

/// "bytes reversed, noise from -5 to 5"; empty where nothing becomes of the bytes.
std::string describe(const bytes::Transforms& transforms);

/// Whether `file` evidently is in the form already, but for the transforms, as its header says: format, dimensions,
/// sample format, rate, length, JPEG quality (by its table). Judged strictly: what another program wrote around the
/// same pixels or samples would be new to a model. fHWC and fCHW: the right number of bytes and no header of a picture
/// that we know.
bool is_in_form(std::span<const std::uint8_t> file, const Preprocess& preprocess) noexcept;

/// Whether `file` evidently is what the model reads, transforms included: in form, and so that they leave it as it is.
/// Never where transforms change bytes, since nobody sees whether that was done.
bool is_as_read(std::span<const std::uint8_t> file, const Preprocess& preprocess) noexcept;

/// The same of a file that comes in pieces, of which no more than its beginning is kept. One thread at a time.
class FormWatch {
 public:
  /// `preprocess` must outlive this.
  explicit FormWatch(const Preprocess& preprocess) noexcept : preprocess_(&preprocess) {}

  void push(std::span<const std::uint8_t> piece);
  /// Judges what came so far as a whole file.
  bool is_as_read() const noexcept;

 private:
  const Preprocess* preprocess_;
  std::vector<std::uint8_t> head_;
  std::vector<std::uint8_t> tail_;
  std::uint64_t num_bytes_ = 0;
  media::OwnMp3Walk mp3_;
};

/// A whole regular file of up to 1 GiB.
/// \throws Error as base::InputFile; kUnsupported for a larger one.
media::FileBytes read_file(const std::filesystem::path& path);
/// The same of one that is open. \param name stands in messages
media::FileBytes read_file(base::InputFile& file, const std::filesystem::path& name);

/// What a model has to know of a file: all of it, or the pieces that it reads, and no more of the file is touched.
/// \throws Error as read_file().
media::FileBytes read_file(const std::filesystem::path& path, const Preprocess& preprocess);

media::FileBytes encode_image(const media::Image& image, const Encoding& encoding);
media::FileBytes encode_sound(const media::Sound& sound, const Encoding& encoding);

/// Resized, cropped and encoded (resampled, cut and encoded).
/// \throws Error as the steps.
media::FileBytes prepared(const media::Image& image, const ImagePreparation& preparation, const std::string& source);
media::FileBytes prepared(const media::Sound& sound, const SoundPreparation& preparation);

/// Decodes `file`, picture or sound as it may be, and prepares it, but for the transforms. Thread-safe.
/// \throws Error kUnsupported saying what the model expects, if it is neither or of the other kind; kInvalidFormat if
/// it
///         is damaged.
media::FileBytes prepare_file(std::span<const std::uint8_t> file, const Preprocess& preprocess,
                              const std::string& source);

/// The bytes of a file in form as the model reads them.
/// \param random of training, which draws anew; null: the file's own, see bytes::random_of()
/// \throws Error as bytes::transformed(), naming `source`. Thread-safe.
media::FileBytes transformed(media::FileBytes file, const Preprocess& preprocess, const std::string& source,
                             base::Random* random = nullptr);

/// A file as the model reads it.
struct PreparedFile {
  media::FileBytes bytes;
  bool was_prepared = false;  ///< whether they are not those that came in
};

/// The one rule by which a model reads files: any that is not in its form is prepared, then every one is transformed.
/// Files that were transformed already must not come here.
/// \throws Error kEmptyFile, or as prepare_file(). Thread-safe.
PreparedFile prepare_if_needed(media::FileBytes file, const Preprocess& preprocess, const std::string& source);

/// Bytes that the model reads of a picture (of a joint model, too) or a sound: a square one, or one second, where the
/// form leaves that open. Nothing where it says too little: of files as they are, of JPEG, and of what would be huge.
std::optional<std::uint64_t> typical_prepared_bytes(const Preprocess& preprocess);

/// A picture as the camera takes it which never forms an image. Through a mask: of its fHWC bytes, one per colour of a
/// pixel, those at kept positions stay, the others are black. The model gets less: the kept bytes alone, without their
/// places.
struct SeenPicture {
  media::Image image;
  std::uint64_t num_kept = 0;  ///< bytes, of 3 * width * height
};

/// \throws Error as bytes::kept_positions().
SeenPicture seen_through(const bytes::PositionMask& mask, media::Image image);

}  // namespace byteformer::prepare
