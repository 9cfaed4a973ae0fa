// The byteformer program.
#include <string>
#include <vector>

#include "application.hpp"
#include "console.hpp"

int main(int argc, char** argv) {
  byteformer::cli::StandardConsole standard;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return byteformer::cli::run(arguments, standard.console());
}
