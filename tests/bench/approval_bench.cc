// What a quorum adds to a step for each custodian, people and disk left out: the custodian's key file is read and
// opened, the checkpoint is signed and the signature verified by the signer, and verified again by the writer before
// the cosignature is entered. What the entry costs besides is in record_bench.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "ceremony/quorum/key_file.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/note.h"
#include "ceremony/record/software_signer.h"

namespace {

using namespace ceremony;
namespace fs = std::filesystem;

template <typename T>
T Must(base::Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.error().message);
    std::abort();
  }
  return std::move(result).value();
}

class Folder final {
 public:
  Folder() {
    std::string pattern = fs::temp_directory_path() / "approval-bench-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string KeyFile() const { return path_ / "alice.pem"; }

 private:
  fs::path path_;
};

// An unencrypted key, as a simulated custodian has it: a passphrase is made slow on purpose.
void Approve(benchmark::State& state) {
  const std::string name = "smki.example/alice";
  const auto made = Must(record::SoftwareSigner::Generate(name, record::SignatureType::kEcdsa));
  const Folder folder;
  const base::SecretBytes pem = quorum::Pkcs8Pem(Must(made->Pkcs8()));
  std::ofstream(folder.KeyFile(), std::ios::binary) << base::AsText(pem.view());
  const record::VerifierKey known = made->key();
  record::Checkpoint checkpoint{Must(record::NewOrigin("smki.example", "bench")), 100, {}};
  for (auto _ : state) {
    ++checkpoint.size;
    const std::string text = checkpoint.Text();
    const base::SecretBytes file = Must(quorum::ReadKeyFile(folder.KeyFile()));
    const auto signer = Must(record::SoftwareSigner::FromPkcs8(name, Must(quorum::DecryptKey(file, {}))));
    const record::SignatureLine line = Must(record::SignText(text, *signer));
    if (!known.Verify(text, line.signature).ok()) state.SkipWithError("the signature does not verify");
  }
}
BENCHMARK(Approve)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
