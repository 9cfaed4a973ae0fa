// From C and from C++ every golden and every shipped model, and models of every form, give the answers of the command:
// the same bits, or the same error. And a file that was not prepared never gets another answer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "byteformer/classifier.hpp"
#include "byteformer/preparer.hpp"
#include "support/effort.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::test {
namespace {

namespace fs = std::filesystem;

struct Answer {
  std::string error = {};  ///< empty: there is none
  std::uint64_t num_bytes = 0, num_tokens = 0;
  bool was_prepared = false;
  std::vector<float> numbers = {};  ///< logits and features
  bool operator==(const Answer&) const = default;
};

void PrintTo(const Answer& answer, std::ostream* out) {
  *out << (answer.error.empty() ? "ok " : answer.error + " ") << answer.num_bytes << " bytes, " << answer.num_tokens
       << " tokens, prepared: " << answer.was_prepared << ", " << answer.numbers.size() << " numbers, first "
       << (answer.numbers.empty() ? 0 : answer.numbers[0]);
}

Answer answer_of(const FileResult& result, bool was_prepared) {
  if (const Error* error = std::get_if<Error>(&result)) return {.error = std::string(to_string(error->code()))};
  const Output& output = std::get<Output>(result);
  Answer answer{"", output.num_bytes, output.num_tokens, was_prepared, output.logits};
  answer.numbers.insert(answer.numbers.end(), output.features.begin(), output.features.end());
  return answer;
}

/// What `command` writes, line by line.
std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines;
  FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string text;
  char buffer[1 << 16];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, size);
  ::pclose(pipe);
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string quoted(const std::string& word) { return "'" + word + "'"; }

std::string quoted(const std::vector<fs::path>& paths) {
  std::string text;
  for (const fs::path& path : paths) text += " " + quoted(path.native());
  return text;
}

struct Case {
  fs::path model;
  std::vector<fs::path> files;
  fs::path key = {};
};

std::vector<Answer> of_command(const Case& with) {
  std::vector<Answer> answers;
  const std::string key = with.key.empty() ? "" : " --key " + quoted(with.key.native());
  for (const std::string& line : lines_of(quoted(BYTEFORMER_PROGRAM) + " classify -m " + quoted(with.model.native()) +
                                          " --threads 2 --jsonl --logits --features" + key + quoted(with.files))) {
    const auto json = nlohmann::json::parse(line);
    if (json["status"] == "error") {
      answers.push_back({.error = json["error"]["code"]});
      continue;
    }
    Answer answer{"", json["bytes"], json["tokens"], json.value("prepared", false), json["logits"]};
    for (const float feature : json["features"].get<std::vector<float>>()) answer.numbers.push_back(feature);
    answers.push_back(answer);
  }
  return answers;
}

std::vector<Answer> of_c(const std::string& mode, const Case& with) {
  std::vector<Answer> answers;
  const std::string key = with.key.empty() ? "" : " " + quoted("--key=" + with.key.native());
  for (const std::string& line : lines_of(quoted(ANSWERS_PROGRAM) + " " + mode + " " + quoted(with.model.native()) +
                                          " --threads=2" + key + quoted(with.files))) {
    std::istringstream in(line);
    std::string word;
    Answer answer;
    in >> word;
    if (word == "ok") {
      in >> answer.num_bytes >> answer.num_tokens >> answer.was_prepared;
      while (in >> word) answer.numbers.push_back(std::strtof(word.c_str(), nullptr));
    } else {
      in >> answer.error;
    }
    answers.push_back(answer);
  }
  return answers;
}

std::vector<Answer> of_cpp(const Case& with) {
  const Classifier classifier = Classifier::load(with.model, {.num_threads = 2, .masking = {}, .as_is = true});
  const Preparer preparer =
      Preparer::load(with.model, with.key.empty() ? std::vector<fs::path>() : std::vector{with.key});
  std::vector<Answer> answers;
  for (const fs::path& path : with.files) {
    try {
      const Prepared prepared = preparer.prepare(path);
      answers.push_back(answer_of(classifier.classify(prepared.bytes), prepared.was_prepared));
    } catch (const Error& error) {
      answers.push_back(answer_of(error, false));
    }
  }
  return answers;
}

/// Files of a folder that are not notes about it, in order.
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() != ".txt" && entry.path().extension() != ".sh")
      files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::vector<fs::path> golden_names() {
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(data_path("models"))) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

class AnswersTest : public ::testing::Test {
 protected:
  /// Every way to ask gives the command's answers.
  static void compare(const Case& with) {
    const std::vector<Answer> expected = of_command(with);
    ASSERT_EQ(expected.size(), with.files.size()) << with.model;
    expect_same(expected, of_cpp(with), with, "C++");
    static const std::vector<std::string> modes =
        kRunsSlowly ? std::vector<std::string>{"paths", "stream"}
                    : std::vector<std::string>{"paths", "path", "buffers", "buffer", "stream", "prepared"};
    for (const std::string& mode : modes) expect_same(expected, of_c(mode, with), with, mode);
    for (const Answer& answer : expected) num_outputs() += answer.error.empty() ? 1 : 0;
    never_answers_otherwise(with, expected);
  }

  /// A C++ classifier that was not told anything either refuses a file, or gives the command's answer.
  static void never_answers_otherwise(const Case& with, const std::vector<Answer>& expected) {
    const Classifier classifier = Classifier::load(with.model, {.num_threads = 2, .masking = {}});
    const std::vector<FileResult> of_paths = classifier.classify_files(with.files);
    std::vector<std::vector<std::uint8_t>> contents;
    for (const fs::path& path : with.files) contents.push_back(read_bytes(path));
    const std::vector<FileResult> of_bytes =
        classifier.classify_batch(std::vector<Bytes>(contents.begin(), contents.end()));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Answer answer = answer_of(of_paths[i], expected[i].was_prepared);
      EXPECT_TRUE(answer.error == "not_prepared" || answer == expected[i]) << with.model << " " << with.files[i];
      EXPECT_EQ(answer_of(of_bytes[i], expected[i].was_prepared), answer) << with.model << " " << with.files[i];
      EXPECT_EQ(answer_of(streamed(classifier, contents[i]), expected[i].was_prepared), answer)
          << with.model << " " << with.files[i];
      EXPECT_TRUE(answer.error == "not_prepared" || !expected[i].was_prepared) << with.model << " " << with.files[i];
    }
  }

  static FileResult streamed(const Classifier& classifier, Bytes file) {
    try {
      Stream stream = classifier.stream();
      const std::size_t half = file.size() / 2;
      stream.feed(file.first(half));
      stream.feed(file.subspan(half));
      return stream.finish();
    } catch (const Error& error) {
      return error;
    }
  }

  static void expect_same(const std::vector<Answer>& expected, const std::vector<Answer>& found, const Case& with,
                          const std::string& how) {
    ASSERT_EQ(found.size(), expected.size()) << with.model << " by " << how;
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(found[i], expected[i]) << with.model << " " << with.files[i] << " by " << how;
  }

  /// The untrained model with another form of its files.
  fs::path model_of(const std::string& name, const std::string& preprocess) {
    const fs::path folder = folder_ / name;
    fs::create_directory(folder);
    fs::copy(data_path("untrained-nano/model.safetensors"), folder);
    nlohmann::json config = nlohmann::json::parse(read_file(data_path("untrained-nano/config.json")));
    config["preprocess"] = nlohmann::json::parse(preprocess);
    write_file(folder / "config.json", config.dump());
    return folder;
  }

  /// `files` as the command prepares them for `model`.
  std::vector<fs::path> encoded(const fs::path& model, const std::vector<fs::path>& files) {
    const fs::path out = folder_ / ("encoded-" + model.filename().native());
    lines_of(quoted(BYTEFORMER_PROGRAM) + " encode -o " + quoted(out.native()) + " --like " + quoted(model.native()) +
             quoted(files));
    return files_in(out);
  }

  static int& num_outputs() {
    static int number = 0;
    return number;
  }

  void SetUp() override { num_outputs() = 0; }

  TemporaryFolder folder_;
};

TEST_F(AnswersTest, OfGoldens) {
  for (const fs::path& name : golden_names()) {
    const fs::path golden = data_path("models") / name, model = folder_ / name;
    lines_of(quoted(BYTEFORMER_PROGRAM) + " import " + quoted((golden / "weights.pt").native()) + " --config " +
             quoted((golden / "config.json").native()) + " -o " + quoted(model.native()));
    std::vector<fs::path> inputs;
    for (const fs::path& file : files_in(golden))
      if (file.extension() == ".bin") inputs.push_back(file);
    ASSERT_FALSE(inputs.empty());
    compare({model, inputs});
  }
  EXPECT_GE(num_outputs(), 30);
}

TEST_F(AnswersTest, OfShippedModels) {
  int num_models = 0;
  std::vector<fs::path> files;
  const std::vector<fs::path> pictures = files_in(data_path("pictures")), sounds = files_in(data_path("sounds"));
  for (std::size_t i = 0; i < pictures.size(); i += kRunsSlowly ? 9 : 3) files.push_back(pictures[i]);
  for (std::size_t i = 0; i < sounds.size(); i += kRunsSlowly ? 4 : 1) files.push_back(sounds[i]);
  for (const auto& entry : fs::directory_iterator(BYTEFORMER_MODELS)) {
    compare({entry.path(), files});
    compare({entry.path(), encoded(entry.path(), files)});
    ++num_models;
  }
  EXPECT_EQ(num_models, 7);
  EXPECT_GE(num_outputs(), kRunsSlowly ? 50 : 200);
}

TEST_F(AnswersTest, OfEveryForm) {
  const std::string image = R"("version": 1, "kind": "image", "image": {"resize": 24, "crop": 24}, "encoding": )";
  const std::string sound = R"("version": 1, "kind": "audio", "audio": {"sample_rate": 8000}, "encoding": )";
  const std::string transforms = R"("version": 1, "kind": "bytes", "transforms": )";
  const std::vector<fs::path> pictures = {data_path("pictures/rgba.png"), data_path("pictures/baseline.jpg"),
                                          data_path("pictures/old.bmp"), data_path("sounds/int16.wav")};
  const std::vector<fs::path> sounds = {data_path("sounds/tone.mp3"), data_path("sounds/int16.wav"),
                                        data_path("pictures/rgba.png")};
  for (const char* format : {"tiff", "png", "jpeg", "fhwc", "fchw"}) {
    const std::string quality = format == std::string("jpeg") ? R"(, "quality": 60)" : "";
    const fs::path model = model_of(format, "{" + image + R"({"format": ")" + format + "\"" + quality + "}}");
    compare({model, pictures});
    compare({model, encoded(model, {pictures[0], pictures[1]})});
  }
  for (const char* format : {"wav", "mp3"}) {
    const fs::path model = model_of(format, "{" + sound + R"({"format": ")" + format + "\"}}");
    compare({model, sounds});
    compare({model, encoded(model, {sounds[0], sounds[1]})});
  }
  const fs::path large = folder_ / "large";
  std::string content;
  for (int i = 0; i < 1'200'000; ++i) content += static_cast<char>(i * 2654435761U >> 9);
  write_file(large, content);
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"reversed", R"([{"type": "shuffle", "mode": "reverse"}])"},
      {"shuffled", R"([{"type": "shuffle", "mode": "window_shuffle", "n": 512}])"},
      {"masked", R"([{"type": "mask_positions", "keep_frac": 0.3}])"},
      {"noisy", R"([{"type": "random_uniform", "low": -3, "high": 3}])"},
      {"permuted", R"([{"type": "byte_permutation", "seed": 7}])"}};
  for (const auto& [name, list] : kinds) {
    std::vector<fs::path> files = {pictures[0], sounds[1]};
    if (!kRunsSlowly || name == "permuted") files.push_back(large);
    compare({model_of(name, "{" + transforms + list + "}"), files});
    compare({model_of("tiff-" + name, "{" + image + R"({"format": "tiff"}, "transforms": )" + list + "}"), pictures});
  }
  EXPECT_GE(num_outputs(), 50);
}

TEST_F(AnswersTest, OfAKeyedModel) {
  const fs::path key = folder_ / "key", keyed = folder_ / "keyed";
  lines_of(quoted(BYTEFORMER_PROGRAM) + " obfuscate keygen -o " + quoted(key.native()));
  lines_of(quoted(BYTEFORMER_PROGRAM) + " obfuscate rekey " + quoted(BYTEFORMER_MODELS "/mnist") + " --key " +
           quoted(key.native()) + " -o " + quoted(keyed.native()));
  const std::vector<fs::path> files = {data_path("pictures/rgba.png"), data_path("pictures/baseline.jpg")};
  compare({keyed, files, key});
  EXPECT_EQ(num_outputs(), 2);
  EXPECT_TRUE(of_c("paths", {keyed, files}).empty());  // without its key it does not even load
  EXPECT_THROW(Preparer::load(keyed), Error);
}

}  // namespace
}  // namespace byteformer::test
