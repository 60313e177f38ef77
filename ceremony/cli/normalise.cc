#include "ceremony/x509/normalise.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/report_error.h"
#include "ceremony/script/strict_json.h"
#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/bulk_lint.h"
#include "ceremony/x509/bundle.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/name.h"
#include "ceremony/x509/pem.h"
#include "hsm/base/clock.h"
#include "hsm/base/digest.h"
#include "hsm/base/file.h"
#include "hsm/base/public_key.h"

namespace ceremony::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kFormat = "keyceremony-normalise/1";
constexpr const char* kRecordSuffix = ".change.json";
constexpr std::size_t kMostText = 500;

struct Arguments {
  std::vector<std::string> inputs;
  std::vector<std::string> issuers;
  std::vector<std::string> approvers;
  std::string reason;
  std::string out;
  bool json = false;
};

struct Issuer {
  base::Bytes subject;
  base::PublicKey key;
};

// The one certificate of a file, and how it was written.
struct Input {
  base::Bytes der;
  bool pem = false;
};

base::Result<Input> ReadOne(const std::string& path) {
  KC_ASSIGN_OR_RETURN(const script::LoadedFile file, script::LoadFile(path));
  std::size_t at = 0;
  const base::ByteView bytes = base::AsBytes(file.bytes);
  x509::BundleReader reader([&](std::span<std::uint8_t> buffer) -> base::Result<std::size_t> {
    const std::size_t count = std::min(buffer.size(), bytes.size() - at);
    std::copy_n(bytes.data() + at, count, buffer.data());
    at += count;
    return count;
  });
  KC_ASSIGN_OR_RETURN(const std::optional<x509::BundleItem> item, reader.Next());
  KC_ASSIGN_OR_RETURN(const std::optional<x509::BundleItem> second, reader.Next());
  std::vector<x509::Finding> findings;
  Input input;
  const auto der = item ? x509::DerOf(*item, input.der, findings) : std::nullopt;
  if (!der || !findings.empty())
    return base::Refusal("NORMALISE-01",
                         path + ": " + (findings.empty() ? "holds no certificate" : findings.front().message));
  if (second)
    return base::Refusal("NORMALISE-05", path + ": holds more than one item, where each certificate needs a file",
                         "split it: the change record names one certificate");
  input.pem = item->form == x509::BundleItem::Form::kPem;
  if (!input.pem) input.der = item->raw;
  return input;
}

base::Result<Issuer> ReadIssuer(const std::string& path) {
  KC_ASSIGN_OR_RETURN(const Input input, ReadOne(path));
  x509::Findings findings(input.der);
  x509::CertificateView view;
  if (!x509::ParseCertificate(input.der, view, findings))
    return base::MakeError(base::ErrorCode::kInvalidInput, path + ": is no certificate");
  auto key = base::PublicKey::FromSpki(view.tbs.spki.whole);
  if (!key) return std::move(key).error().Prefixed(path);
  return Issuer{base::ToBytes(view.tbs.subject), std::move(key).value()};
}

std::string Folded(const std::string& name) {
  std::string folded;
  for (const char c : name) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0)
      folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

base::Result<void> CheckApprovals(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const std::string& approver : arguments.approvers) {
    const std::string folded = Folded(approver);
    if (!folded.empty() && std::find(names.begin(), names.end(), folded) == names.end()) names.push_back(folded);
  }
  if (names.size() < 2)
    return base::Refusal("NORMALISE-04",
                         fmt::format("{} approved, where two must: a normalised certificate has another fingerprint",
                                     names.empty() ? "nobody" : "one person"),
                         "name two people: --approved-by A --approved-by B");
  if (Folded(arguments.reason).empty() || arguments.reason.size() > kMostText)
    return base::Refusal("NORMALISE-04", fmt::format("the reason must have 1 to {} characters", kMostText));
  return {};
}

class Normaliser final {
 public:
  Normaliser(const Arguments& arguments, std::vector<Issuer> issuers, std::string now)
      : arguments_(arguments), issuers_(std::move(issuers)), now_(std::move(now)) {}

  // One returns what to say of a file: changed, or already strict.
  base::Result<ordered_json> One(const std::string& path) {
    KC_ASSIGN_OR_RETURN(const Input input, ReadOne(path));
    KC_ASSIGN_OR_RETURN(const Issuer* issuer, IssuerOf(path, input.der));
    auto result = x509::NormaliseCertificate(input.der, issuer->key);
    if (!result) return std::move(result).error().Prefixed(path);
    const std::string before = base::Sha256Hex(base::ByteView(input.der));
    if (result->repairs.empty()) return ordered_json{{"file", path}, {"changed", false}, {"sha256", before}};

    const std::string target = (fs::path(arguments_.out) / fs::path(path).filename()).string();
    x509::Findings findings(result->der);
    x509::CertificateView view;
    x509::ParseCertificate(result->der, view, findings);
    ordered_json record{{"format", kFormat},
                        {"file", fs::path(path).filename().string()},
                        {"utc", now_},
                        {"reason", arguments_.reason},
                        {"approved_by", arguments_.approvers},
                        {"old_sha256", before},
                        {"new_sha256", base::Sha256Hex(base::ByteView(result->der))},
                        {"old_octets", input.der.size()},
                        {"new_octets", result->der.size()},
                        {"tbs_sha256", base::Sha256Hex(view.tbs.whole)},
                        {"subject", x509::NameText(view.tbs.subject)},
                        {"issuer", x509::NameText(view.tbs.issuer)},
                        {"issuer_spki_sha256", issuer->key.SpkiSha256Hex()},
                        {"repairs", result->repairs},
                        {"verified", "before with the signature read leniently, after as strict DER"}};
    // The record first: no changed certificate is ever without it.
    KC_RETURN_IF_ERROR(base::WriteFile(target + kRecordSuffix, record.dump(2) + "\n", base::kForEveryone));
    const std::string written =
        input.pem ? x509::PemEncode("CERTIFICATE", result->der) : std::string(base::AsText(result->der));
    if (auto created = base::WriteFile(target, written, base::kForEveryone); !created) {
      ::unlink((target + kRecordSuffix).c_str());
      return std::move(created).error();
    }
    return ordered_json{{"file", path},      {"changed", true},
                        {"sha256", before},  {"new_sha256", record["new_sha256"]},
                        {"written", target}, {"repairs", result->repairs}};
  }

 private:
  base::Result<const Issuer*> IssuerOf(const std::string& path, base::ByteView der) const {
    x509::Findings findings(der);
    x509::CertificateView view;
    if (!x509::ParseCertificate(der, view, findings))
      return base::Refusal("NORMALISE-01", path + ": is no certificate: " +
                                               (findings.empty() ? "incomplete" : findings.list().front().Text()));
    for (const Issuer& issuer : issuers_) {
      if (std::equal(issuer.subject.begin(), issuer.subject.end(), view.tbs.issuer.begin(), view.tbs.issuer.end()))
        return &issuer;
    }
    return base::Refusal("NORMALISE-03", fmt::format("{}: its issuer {} is the subject of no --issuer", path,
                                                     x509::NameText(view.tbs.issuer)));
  }

  const Arguments& arguments_;
  std::vector<Issuer> issuers_;
  std::string now_;
};

base::Result<int> Normalise(const Arguments& arguments, const Streams& streams) {
  KC_RETURN_IF_ERROR(CheckApprovals(arguments));
  std::vector<Issuer> issuers;
  for (const std::string& path : arguments.issuers) {
    KC_ASSIGN_OR_RETURN(Issuer issuer, ReadIssuer(path));
    issuers.push_back(std::move(issuer));
  }
  std::error_code code;
  fs::create_directory(arguments.out, code);
  if (!fs::is_directory(arguments.out, code)) {
    base::Error error = base::MakeError(base::ErrorCode::kIo, arguments.out + ": is no folder and cannot be made one");
    return error;
  }
  base::SystemClock clock;
  Normaliser normaliser(arguments, std::move(issuers), x509::FormatGeneralizedTime(clock.UtcMicros() / 1'000'000));
  std::size_t changed = 0;
  std::size_t strict = 0;
  std::size_t refused = 0;
  ordered_json files = ordered_json::array();
  for (const std::string& path : x509::ListFiles(arguments.inputs)) {
    const auto done = normaliser.One(path);
    if (!done) {
      ++refused;
      ReportError(done.error(), streams.err);
      continue;
    }
    ++((*done)["changed"].get<bool>() ? changed : strict);
    if (arguments.json) {
      files.push_back(*done);
    } else if ((*done)["changed"].get<bool>()) {
      streams.out << fmt::format("{}\n  was SHA-256 {}\n  now SHA-256 {}\n", (*done)["written"].get<std::string>(),
                                 (*done)["sha256"].get<std::string>(), (*done)["new_sha256"].get<std::string>());
      for (const auto& repair : (*done)["repairs"]) streams.out << "  " << repair.get<std::string>() << '\n';
    }
  }
  if (arguments.json) {
    streams.out << ordered_json{{"normalised", changed},
                                {"already_strict", strict},
                                {"refused", refused},
                                {"files", std::move(files)}}
                       .dump(-1, ' ', false, ordered_json::error_handler_t::replace)
                << '\n';
  } else {
    streams.out << fmt::format("{} normalised, {} strict already, {} refused\n", changed, strict, refused);
  }
  return refused > 0 ? kExitFinding : kExitDone;
}

}  // namespace

void AddNormalise(CLI::App& program, Action& chosen) {
  CLI::App* command =
      program.add_subcommand("normalise", "encode signatures anew that are right but not DER, under two approvals");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("certificate", arguments->inputs, "files of one certificate each, or folders of them")
      ->required()
      ->type_name("FILE|FOLDER");
  command->add_option("--issuer", arguments->issuers, "the certificate of the CA that signed; again for another")
      ->allow_extra_args(false)
      ->required()
      ->type_name("FILE");
  command->add_option("--out", arguments->out, "where the new files go, each with its change record")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--approved-by", arguments->approvers, "who approved; two people at least, each with the option")
      ->required()
      ->allow_extra_args(false)
      ->type_name("NAME");
  command->add_option("--reason", arguments->reason, "why, for the change record")->required()->type_name("TEXT");
  command->add_flag("--json", arguments->json, "print one JSON object");
  WhenChosen(*command, chosen, arguments, Normalise);
}

}  // namespace ceremony::cli
