// Classifies one file and prints the three most likely classes: `classify_file MODEL_DIR FILE`.
#include <byteformer/byteformer.hpp>
#include <byteformer/preparer.hpp>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: classify_file MODEL_DIR FILE\n";
    return 2;
  }
  try {
    const auto preparer = byteformer::Preparer::load(argv[1]);
    const auto classifier = byteformer::Classifier::load(argv[1], {.as_is = true});  // files come from the preparer
    const byteformer::Output output = classifier.classify(preparer.prepare(std::filesystem::path(argv[2])).bytes);
    for (const byteformer::Prediction& prediction : classifier.top_k(output, 3)) {
      std::cout << prediction.score << "  " << prediction.label << '\n';
    }
  } catch (const byteformer::Error& error) {
    std::cerr << "error (" << byteformer::to_string(error.code()) << "): " << error.what() << '\n';
    return 1;
  }
}
