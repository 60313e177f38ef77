#include "ceremony/record/redact.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/cli/one_record.h"
#include "ceremony/quorum/annex.h"
#include "ceremony/script/person_file.h"
#include "ceremony/script/redaction.h"
#include "ceremony/verify/print.h"
#include "ceremony/verify/verify.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string record;
  std::string rules;
  std::string out;
  std::string roster;
  std::string annex;
  std::string recipient;
};

// An annex of a bundle that came to nothing belongs to nobody.
class AnnexFile final {
 public:
  explicit AnnexFile(std::string path) : path_(std::move(path)) {}
  ~AnnexFile() {
    if (is_written_ && !is_kept_) ::unlink(path_.c_str());
  }
  AnnexFile(const AnnexFile&) = delete;  // one owner removes the file
  AnnexFile& operator=(const AnnexFile&) = delete;

  base::Result<void> Write(const std::string& content) {
    KC_RETURN_IF_ERROR(base::WriteFile(path_, content, base::kForEveryone));
    is_written_ = true;
    return {};
  }
  void Keep() { is_kept_ = true; }

 private:
  std::string path_;
  bool is_written_ = false, is_kept_ = false;
};

base::Result<base::PublicKey> RecipientKey(const std::string& path) {
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(path));
  KC_ASSIGN_OR_RETURN(const script::PersonFile person, script::ParsePersonFile(std::move(file)));
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(person.open_key));
  return base::PublicKey::FromSpki(spki);
}

base::Result<int> Redact(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const std::optional<record::Trust> trust, ReadTrust(arguments.roster));
  KC_RETURN_IF_ERROR(RequireRecord(arguments.record, "one record is redacted", "name one of its folders"));
  KC_ASSIGN_OR_RETURN(script::LoadedFile file, script::LoadFile(arguments.rules));
  KC_ASSIGN_OR_RETURN(const script::RedactionFile redaction, script::ParseRedaction(std::move(file)));
  AnnexFile annex(arguments.annex);
  record::RedactionRequest request{arguments.record,          arguments.out,        redaction.rules,
                                   trust ? &*trust : nullptr, verify::VerifyRecord, {}};
  if (!arguments.annex.empty()) {
    KC_ASSIGN_OR_RETURN(const base::PublicKey recipient, RecipientKey(arguments.recipient));
    request.keep_annex = [&annex, recipient](const std::string& origin,
                                             const base::Bytes& content) -> base::Result<record::WithheldHead::Annex> {
      KC_ASSIGN_OR_RETURN(const std::string sealed, quorum::SealAnnex(origin, content, recipient));
      KC_RETURN_IF_ERROR(annex.Write(sealed));
      return record::WithheldHead::Annex{base::Sha256Hex(sealed), sealed.size()};
    };
  }
  KC_ASSIGN_OR_RETURN(const record::RecordReport report, record::Redact(request));
  annex.Keep();
  verify::PrintRecord(report, streams.out);
  return kExitDone;
}

}  // namespace

void AddRedact(CLI::App& program, Action& chosen) {
  CLI::App* command =
      program.add_subcommand("redact", "make the bundle of a record that may be published, and still verifies");
  command->group(kLook);
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("record", arguments->record, "the folder of a record")->required()->type_name("RECORD");
  command->add_option("--rules", arguments->rules, "what is for whom: a file of the kind `redaction`")
      ->required()
      ->type_name("FILE");
  command->add_option("--out", arguments->out, "the folder to make; one that is there is left alone")
      ->required()
      ->type_name("BUNDLE");
  DescribeRoster(*command, arguments->roster);
  CLI::Option* const annex =
      command->add_option("--annex", arguments->annex, "what is withheld, sealed to one recipient")->type_name("FILE");
  command
      ->add_option("--recipient", arguments->recipient,
                   "person file of who may open the annex, as `keyceremony custodian new` made it")
      ->type_name("FILE")
      ->needs(annex);
  annex->needs(command->get_option("--recipient"));
  WhenChosen(*command, chosen, arguments, Redact);
}

}  // namespace ceremony::cli
