// Parts of a record for others: the proof of one entry, a tiled log, a request for a time-stamp.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "ceremony/cli/command.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/record/entry.h"
#include "ceremony/record/record_name.h"
#include "ceremony/record/tiles.h"
#include "ceremony/record/timestamp.h"
#include "ceremony/record/tlog_proof.h"
#include "ceremony/record/verify.h"
#include "hsm/base/counted.h"
#include "hsm/base/file.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string record;
  std::string out;
  std::uint64_t entry = 0;
};

base::Result<int> Prove(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const record::TlogProof proof, record::ProveEntry(arguments.record, arguments.entry));
  KC_RETURN_IF_ERROR(base::WriteFile(arguments.out, proof.Text(), base::kForEveryone));
  streams.out << fmt::format("the proof of entry {} is in {}{}\n", arguments.entry, arguments.out,
                             proof.line ? "" : "; the entry is withheld, so who verifies it needs the line");
  return kExitDone;
}

base::Result<int> Tiles(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const bool archive, record::IsArchive(arguments.record));
  std::vector<std::string> names;
  if (archive) {
    KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(arguments.record));
    KC_ASSIGN_OR_RETURN(names, record::RecordNames(folder));
  } else {
    names.emplace_back();
  }
  KC_ASSIGN_OR_RETURN(record::NewFolder out, record::NewFolder::Make(arguments.out));
  for (const std::string& name : names) {
    const std::string path = name.empty() ? arguments.record : arguments.record + "/" + name;
    KC_ASSIGN_OR_RETURN(const record::TileCount count, record::ExportTiles(path, out, name.empty() ? "" : name + "/"));
    streams.out << fmt::format(
        "{}: {}, {}, {}{}\n", path, base::Counted(count.entries, "entry", "entries"),
        base::Counted(count.tiles, "tile", "tiles"), base::Counted(count.bundles, "entry bundle", "entry bundles"),
        count.withheld_bundles == 0
            ? ""
            : fmt::format(", {} left out because an entry in them is withheld", count.withheld_bundles));
  }
  KC_RETURN_IF_ERROR(out.Publish());
  return kExitDone;
}

base::Result<int> Stamp(const Arguments& arguments, const Streams& streams) {
  KC_ASSIGN_OR_RETURN(const record::RecordFolder folder, record::RecordFolder::Open(arguments.record));
  base::Result<record::FileDigest> digest = folder.Digest(record::kCheckpointFile);
  if (!digest.ok()) return std::move(digest).error().WithHint("only a record that was closed has its final checkpoint");
  KC_ASSIGN_OR_RETURN(const base::Bytes request, record::MakeTimestampRequest(digest->sha256));
  KC_RETURN_IF_ERROR(base::WriteFile(arguments.out, base::AsText(request), base::kForEveryone));
  streams.out << fmt::format(
      "{} asks for a time-stamp over {}/{}: send it to an authority as application/timestamp-query\n", arguments.out,
      arguments.record, record::kCheckpointFile);
  return kExitDone;
}

using Command = base::Result<int> (*)(const Arguments&, const Streams&);

// How `--help` speaks of what a command reads and writes.
struct Help {
  const char* record;
  const char* record_type;
  const char* out;
  const char* out_type;
};

std::shared_ptr<Arguments> Add(CLI::App& command, const Help& help, Command run, Action& chosen) {
  command.group(kLook);
  auto arguments = std::make_shared<Arguments>();
  command.add_option("record", arguments->record, help.record)->required()->type_name(help.record_type);
  command.add_option("--out", arguments->out, help.out)->required()->type_name(help.out_type);
  WhenChosen(command, chosen, arguments, run);
  return arguments;
}

}  // namespace

void AddProof(CLI::App& program, Action& chosen) {
  CLI::App* proof = program.add_subcommand("proof", "prove that one entry stands in a record, to somebody without it");
  const auto arguments = Add(*proof,
                             {"the folder of a closed record or of a bundle", "RECORD",
                              "the file to write (.tlog-proof); one that is there is left alone", "FILE"},
                             Prove, chosen);
  proof->add_option("--entry", arguments->entry, "the number of the entry")->required()->type_name("N");
  Add(*program.add_subcommand("tiles", "lay records out as tiled transparency logs, for tools of others"),
      {"the folder of a record, a bundle or an archive", "RECORD|ARCHIVE",
       "the folder to make; one that is there is left alone", "FOLDER"},
      Tiles, chosen);
  Add(*program.add_subcommand("stamp", "ask for a time-stamp (RFC 3161) over a record's final checkpoint"),
      {"the folder of a closed record", "RECORD", "the request to write (.tsq); one that is there is left alone",
       "FILE"},
      Stamp, chosen);
}

}  // namespace ceremony::cli
