// Finding a data set: which layout it has, the order of its classes, what is wrong with it.
#include "data/data_set.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <tuple>

#include "base/file_io.hpp"
#include "data/layouts.hpp"
#include "data/validation_split.hpp"
#include "format/text.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using base::printable;
using format::excerpt;
using format::fail;
using format::joined;
using Labels = std::map<std::string, int>;

constexpr std::size_t kMaxNamed = 10;

FoundFiles find_files(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail(ErrorCode::kNotFound, printable(path), ": does not exist");
  if (error) fail(ErrorCode::kPermissionDenied, printable(path), ": ", error.message());
  if (fs::is_directory(status)) {
    if (is_manifest_folder(path)) return find_manifest_folder(path);
    if (is_speech_commands_archive(path)) return find_speech_commands_archive(path);
    return is_split_folders(path) ? find_split_folders(path) : find_class_folders(path);
  }
  const fs::path ending = path.extension();
  if (ending == ".csv" || ending == ".jsonl" || ending == ".json") return find_manifest(path);
  fail(ErrorCode::kInvalidArgument, printable(path),
       ": is no data set; expected a folder with a folder per class, or a manifest (.csv, .jsonl)");
}

bool is_number(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Numbers come first, in their order; then other names, bytewise.
bool is_before(const std::string& a, const std::string& b) {
  const auto key = [](const std::string& name) {
    const bool is_numeric = is_number(name);
    const auto digits = is_numeric ? name.substr(std::min(name.find_first_not_of('0'), name.size() - 1)) : name;
    return std::tuple(!is_numeric, is_numeric ? digits.size() : 0, digits, name);
  };
  return key(a) < key(b);
}

/// The first of `names` in quotes, for a message.
template <typename Names>
std::string list_of(const Names& names) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (count++ == kMaxNamed) return text + joined(", ... (", std::size(names), " in all)");
    text += joined(text.empty() ? "\"" : ", \"", excerpt(name), '"');
  }
  return text;
}

std::set<std::string> classes_of(const std::vector<FoundFile>& files) {
  std::set<std::string> names;
  for (const FoundFile& file : files) names.insert(file.class_name);
  return names;
}

template <typename Names>
std::vector<std::string> missing_in(const std::set<std::string>& present, const Names& names) {
  std::vector<std::string> missing;
  for (const std::string& name : names)
    if (!present.contains(name)) missing.push_back(name);
  return missing;
}

/// The order of classes, after a look at what is wrong with them.
std::vector<std::string> ordered_classes(const FoundFiles& found, const DataSetOptions& options,
                                         const std::string& source) {
  std::set<std::string> names = classes_of(found.train);
  names.merge(classes_of(found.validation));
  names.merge(classes_of(found.test));
  for (const std::string& name : names)
    if (!format::is_utf8(name))
      fail(ErrorCode::kInvalidArgument, source, ": the class name \"", excerpt(name), "\" is not UTF-8, rename it");
  if (names.empty()) {
    std::string reasons;
    for (const std::string& remark : found.remarks) reasons += "\n  " + remark;
    fail(ErrorCode::kInvalidArgument, source, ": holds no labelled files; expected a folder with a folder per class",
         reasons);
  }
  if (options.classes) {
    const auto unknown = missing_in({options.classes->begin(), options.classes->end()}, names);
    if (!unknown.empty())
      fail(ErrorCode::kInvalidArgument, source, ": has classes that the model lacks: ", list_of(unknown),
           "; the model's are ", list_of(*options.classes));
    return *options.classes;
  }
  if (names.size() == 1)
    fail(ErrorCode::kInvalidArgument, source, ": has one class only, ", list_of(names), "; expected at least two");
  std::vector<std::string> classes(names.begin(), names.end());
  std::ranges::sort(classes, is_before);
  return classes;
}

void check_training_classes(FoundFiles& found, const std::vector<std::string>& classes, bool are_given,
                            const std::string& source) {
  if (found.train.empty()) return;
  const std::set<std::string> trained = classes_of(found.train);
  if (!are_given)
    if (const auto empty = missing_in(trained, found.empty_classes); !empty.empty())
      fail(ErrorCode::kInvalidArgument, source, ": no file to train on for the class", empty.size() == 1 ? " " : "es ",
           list_of(empty), "; remove the empty folder or fill it");
  if (const auto missing = missing_in(trained, classes); !missing.empty())
    found.remarks.push_back("no training files of " + list_of(missing));
}

std::vector<Sample> samples_of(const std::vector<FoundFile>& files, const Labels& labels) {
  std::vector<Sample> samples;
  samples.reserve(files.size());
  for (const FoundFile& file : files) samples.push_back({file.path, labels.at(file.class_name), file.start_s});
  std::ranges::sort(samples, {}, [](const Sample& sample) {
    return std::tuple(std::string_view(sample.path.native()), sample.start_s);
  });
  return samples;
}

void remark_shared_files(DataSet& data_set) {
  const auto key = [](const Sample& sample) { return std::pair(sample.path.native(), sample.start_s); };
  std::set<std::pair<std::string, std::optional<double>>> trained;
  for (const Sample& sample : data_set.train) trained.insert(key(sample));
  const auto remark = [&](const std::vector<Sample>& samples, std::string_view name) {
    const auto count = std::ranges::count_if(samples, [&](const Sample& s) { return trained.contains(key(s)); });
    if (count != 0) data_set.remarks.push_back(joined(count, " training files are in the ", name, " set too"));
  };
  remark(data_set.validation, "validation");
  remark(data_set.test, "test");
}

}  // namespace

DataSet find_data_set(const fs::path& path, const DataSetOptions& options) {
  if (!(options.validation_fraction >= 0 && options.validation_fraction < 1))
    fail(ErrorCode::kInvalidArgument, "the validation fraction is ", options.validation_fraction,
         ", expected at least 0 and less than 1");
  const std::string source = printable(path);
  FoundFiles found = find_files(path);
  DataSet data_set;
  data_set.layout = found.layout;
  data_set.has_own_validation = !found.validation.empty();
  data_set.classes = ordered_classes(found, options, source);
  if (options.needs_training_files)
    check_training_classes(found, data_set.classes, options.classes.has_value(), source);
  if (options.split_validation && found.validation.empty() && options.validation_fraction > 0 && !found.train.empty())
    data_set.split_by = split_off_validation(found.train, found.validation, options.validation_fraction, options.seed,
                                             options.split_by_speaker);
  Labels labels;
  for (std::size_t i = 0; i < data_set.classes.size(); ++i) labels.emplace(data_set.classes[i], static_cast<int>(i));
  data_set.train = samples_of(found.train, labels);
  data_set.validation = samples_of(found.validation, labels);
  data_set.test = samples_of(found.test, labels);
  data_set.background = std::move(found.background);
  data_set.remarks = std::move(found.remarks);
  remark_shared_files(data_set);
  return data_set;
}

const std::vector<Sample>& evaluation_samples(const DataSet& data_set) noexcept {
  if (!data_set.test.empty()) return data_set.test;
  return data_set.validation.empty() ? data_set.train : data_set.validation;
}

}  // namespace byteformer::data
