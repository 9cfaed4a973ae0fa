// `byteformer eval`: figures, splits, failures, and files that have to be prepared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/data_set.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class EvalTest : public FolderTest {
 protected:
  /// Files of any bytes for the four classes of the model.
  void put_files(const std::string& folder, int per_class) const {
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < per_class; ++i)
        put(folder + "/class_" + std::to_string(c) + "/" + std::to_string(i), some_picture(9, 9, 10 * c + i));
  }
  Outcome eval(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"eval", "-m", at("model")});
    return run_program(arguments);
  }
  nlohmann::json eval_json(std::vector<std::string> arguments, int status = kExitOk) const {
    arguments.emplace_back("--json");
    const Outcome outcome = eval(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }
};

TEST_F(EvalTest, JsonHasTheDocumentedKeysAndAddsUp) {
  nano_model(folder_ / "model", "");
  put_files("data", 3);
  const nlohmann::json result = eval_json({"-d", at("data")});
  for (const char* key : {"model", "data", "split", "samples", "top1", "top5", "loss", "calibration_error", "labels",
                          "per_class", "confusion", "failures"})
    EXPECT_TRUE(result.contains(key)) << key;
  EXPECT_EQ(result.size(), 12U);
  EXPECT_EQ(result["model"], at("model"));
  EXPECT_EQ(result["data"], at("data"));
  EXPECT_EQ(result["split"], "all");
  EXPECT_EQ(result["samples"], 12);
  EXPECT_EQ(result["top5"], 1.0);
  EXPECT_EQ(result["failures"].size(), 0U);
  EXPECT_EQ(result["labels"], nlohmann::json({"class_0", "class_1", "class_2", "class_3"}));
  int num_right = 0;
  for (std::size_t truth = 0; truth < 4; ++truth) {
    int row = 0;
    for (const nlohmann::json& count : result["confusion"][truth]) row += count.get<int>();
    EXPECT_EQ(row, 3);
    EXPECT_EQ(result["per_class"][truth]["samples"], 3);
    num_right += result["confusion"][truth][truth].get<int>();
  }
  EXPECT_DOUBLE_EQ(result["top1"], num_right / 12.0);
}

TEST_F(EvalTest, AgreesWithClassify) {
  nano_model(folder_ / "model", kFhwc8);
  put_files("data", 2);
  const Outcome classified = run_program({"classify", "-m", at("model"), "--jsonl", "--top-k", "1", "-r", at("data")});
  ASSERT_EQ(classified.status, kExitOk) << classified.err;
  std::vector<std::vector<int>> expected(4, std::vector<int>(4));
  std::istringstream lines(classified.out);
  std::size_t i = 0;
  for (std::string line; std::getline(lines, line); ++i)
    ++expected[i / 2][nlohmann::json::parse(line)["predictions"][0]["index"].get<std::size_t>()];
  ASSERT_EQ(i, 8U);
  EXPECT_EQ(eval_json({"-d", at("data")})["confusion"], nlohmann::json(expected));
  EXPECT_EQ(eval_json({"-d", at("data"), "-b", "3", "-j", "2"})["confusion"], nlohmann::json(expected));
  EXPECT_THAT(eval({"-d", at("data")}).err, HasSubstr("prepared 8 files as raw RGB bytes (fHWC) of 8x8 pixels"));
  EXPECT_THAT(eval({"-d", at("data"), "--as-is"}).err, Not(HasSubstr("prepared")));
}

TEST_F(EvalTest, UsesTheTestSetUnlessAskedOtherwise) {
  nano_model(folder_ / "model", "");
  put_files("data/train", 4);
  put_files("data/val", 2);
  put_files("data/test", 1);
  const auto evaluated = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"-d", at("data")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const nlohmann::json result = eval_json(arguments);
    return std::pair(result["split"].get<std::string>(), result["samples"].get<int>());
  };
  EXPECT_EQ(evaluated({}), std::pair(std::string("test"), 4));
  EXPECT_EQ(evaluated({"--split", "validation"}), std::pair(std::string("validation"), 8));
  EXPECT_EQ(evaluated({"--split", "train"}), std::pair(std::string("train"), 16));
  EXPECT_EQ(evaluated({"--split", "all"}), std::pair(std::string("all"), 28));
  fs::remove_all(at("data/test"));
  EXPECT_EQ(evaluated({}), std::pair(std::string("validation"), 8));
  const Outcome outcome = eval({"-d", at("data"), "--split", "test"});
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("no test set"));
}

TEST_F(EvalTest, OfTheFilesOfItsTrainingThoseHeldOutJudgeAModel) {
  nano_model(folder_ / "model", "");
  put_files("data", 10);
  data::DataSetOptions trained;
  trained.validation_fraction = 0.2;
  trained.seed = 7;
  const data::DataSet split = data::find_data_set(at("data"), trained);
  put("model/training/plan.json", nlohmann::json{{"validation_fraction", 0.2},
                                                 {"seed", 7},
                                                 {"split_by", "auto"},
                                                 {"data_fingerprint", data::fingerprint(split, at("data"))}}
                                      .dump());
  const nlohmann::json result = eval_json({"-d", at("data")});
  EXPECT_EQ(result["split"], "validation");
  EXPECT_EQ(result["samples"], split.validation.size());
  EXPECT_THAT(eval({"-d", at("data")}).err, HasSubstr("8 files held out for validation"));
  EXPECT_EQ(eval_json({"-d", at("data"), "--split", "all"})["samples"], 40);
  nlohmann::json config = nlohmann::json::parse(test::read_file(at("model/config.json")));
  config["id2label"] = {{"0", "class_3"}, {"1", "class_0"}, {"2", "class_1"}, {"3", "class_2"}};
  put("model/config.json", config.dump());
  EXPECT_EQ(eval_json({"-d", at("data")})["samples"], split.validation.size());
  const nlohmann::json as_trained = eval_json({"-d", at("data"), "--split", "all"});
  put("data/class_0/new", "other data now");
  const nlohmann::json by_name = eval_json({"-d", at("data")});
  EXPECT_EQ(by_name["samples"], 41);
  EXPECT_EQ(as_trained["per_class"][0]["samples"], 10);
  EXPECT_EQ(by_name["per_class"][1]["samples"], 11) << "class_0 is number 1 now";
  for (int i : {0, 2, 3}) EXPECT_EQ(as_trained["confusion"][i], by_name["confusion"][i]) << i;
}

TEST_F(EvalTest, OfClassesWithOneNameEachIsRight) {
  nano_model(folder_ / "model", "");
  nlohmann::json config = nlohmann::json::parse(test::read_file(at("model/config.json")));
  config["id2label"] = {{"0", "crane"}, {"1", "crane"}, {"2", "crane"}, {"3", "heron"}};
  put("model/config.json", config.dump());
  for (unsigned i = 0; i < 12; ++i)
    put("data/crane/" + std::to_string(i), std::string(17UL * i + 17, static_cast<char>('=' + i)));
  put("data/heron/0", some_picture(9, 9, 20));
  const nlohmann::json result = eval_json({"-d", at("data")});
  int num_right = result["confusion"][3][3];
  int num_cranes_used = 0;
  for (std::size_t truth = 0; truth < 3; ++truth) {
    const int right = result["confusion"][truth][truth];
    num_right += right;
    num_cranes_used += right > 0 ? 1 : 0;
    for (std::size_t answer = 0; answer < 3; ++answer)
      if (answer != truth) EXPECT_EQ(result["confusion"][truth][answer], 0) << truth << " taken for " << answer;
  }
  EXPECT_GT(num_cranes_used, 1) << result["confusion"];
  EXPECT_DOUBLE_EQ(result["top1"], num_right / 13.0);
}

TEST_F(EvalTest, FailuresAreListedAndCounted) {
  nano_model(folder_ / "model", kFhwc8);
  put_files("data", 2);
  put("data/class_1/bad", "hello");
  const nlohmann::json result = eval_json({"-d", at("data")}, kExitInputFailed);
  EXPECT_EQ(result["samples"], 8);
  ASSERT_EQ(result["failures"].size(), 1U);
  EXPECT_EQ(result["failures"][0]["path"], at("data/class_1/bad"));
  EXPECT_EQ(result["failures"][0]["code"], "unsupported");
  EXPECT_THAT(result["failures"][0]["message"].get<std::string>(),
              HasSubstr("expects raw RGB bytes (fHWC) of 8x8 pixels"));
  const Outcome outcome = eval({"-d", at("data")});
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("byteformer: " + at("data/class_1/bad") + ": is no picture"));
  EXPECT_THAT(outcome.out, HasSubstr("failed                   1"));
}

TEST_F(EvalTest, NothingButFailuresIsStillAnAnswer) {
  nano_model(folder_ / "model", kFhwc8);
  put("data/class_0/bad", "hello");
  put("data/class_1/bad", "hello");
  const nlohmann::json result = eval_json({"-d", at("data")}, kExitInputFailed);
  EXPECT_EQ(result["samples"], 0);
  EXPECT_EQ(result["top1"], 0.0);
  EXPECT_EQ(eval({"-d", at("data")}).status, kExitInputFailed);
}

TEST_F(EvalTest, ShowsPeopleATableAndTheConfusionMatrix) {
  nano_model(folder_ / "model", "");
  put_files("data", 1);
  const Outcome outcome = eval({"-d", at("data")});
  EXPECT_EQ(outcome.status, kExitOk);
  EXPECT_EQ(outcome.err, "");
  for (const char* part :
       {"accuracy ", " of 4 files\n", "class    files  recall ", "truth \\ answer  class_0  class_1"})
    EXPECT_THAT(outcome.out, HasSubstr(part));
}

TEST_F(EvalTest, ClassesThatTheModelLacksAreRefused) {
  nano_model(folder_ / "model", "");
  put_files("data", 1);
  put("data/other/x", "x");
  const Outcome outcome = eval({"-d", at("data")});
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("other"));
  EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace byteformer::cli
