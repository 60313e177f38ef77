// Runs a fuzz target over its corpus without libFuzzer, so that every input
// that ever mattered is a plain test with every compiler: each file as it is,
// cut short at every length, and with every byte changed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::size_t runs = 0;
  // A copy of the exact size each time, so that a sanitizer sees a read behind it.
  const auto run = [&runs](const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> exact(data, data + size);
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    ++runs;
  };
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    std::vector<std::uint8_t> bytes(content.begin(), content.end());
    run(bytes.data(), bytes.size());
    for (std::size_t size = 0; size < bytes.size(); ++size) run(bytes.data(), size);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const std::uint8_t original = bytes[at];
      for (const std::uint8_t changed : {std::uint8_t(original ^ 1), std::uint8_t(original ^ 0x80), std::uint8_t('"'),
                                         std::uint8_t('\\'), std::uint8_t('\n'), std::uint8_t(' ')}) {
        bytes[at] = changed;
        run(bytes.data(), bytes.size());
      }
      bytes[at] = original;
    }
  }
  std::printf("%zu runs over %zu files\n", runs, files.size());
  return files.empty() ? 1 : 0;
}
