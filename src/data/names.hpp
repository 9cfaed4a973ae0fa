// What names say: which split a folder or a column means, and whether two names are one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace byteformer::data {

enum class Split { kTrain, kValidation, kTest };

std::string_view name_of(Split split) noexcept;  ///< "training", "validation" or "test"
std::string_view purpose(Split split) noexcept;  ///< "to train on", "for validation" or "for test"

/// A split, and what else its name says: "seg" of "seg_train", "2017" of "val2017", nothing of "Training Set".
struct SplitName {
  Split split;
  std::string rest;
};

/// What a name says of a split, in any case and usual spelling: Train, training_set, valid, dev, testData, "Test Set".
/// Nothing if it names none, or two.
std::optional<SplitName> split_name(std::string_view name);

/// The split that such a name says, and nothing besides.
std::optional<Split> split_of(std::string_view name);

/// `name` in lower case (ASCII), without spaces around it and with '_' for other separators: "Image Path" is
/// "image_path".
std::string plain_name(std::string_view name);

/// `name` in Unicode's composed form (NFC), in which names are compared: Linux and Windows write "é" as one code point,
/// macOS as two. What is not UTF-8 stays as it is.
std::string composed(std::string_view name);

}  // namespace byteformer::data
