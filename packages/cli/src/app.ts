import { ExitCode, buildApplication, buildRouteMap, run, text_en } from "@stricli/core";
import { routes } from "./commands/index.ts";
import { type CommandProcess, createContext } from "./context.ts";
import { EXIT, faultOf, formatError } from "./errors.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the command line to its end.
 *
 * `--debug` may stand anywhere before a `--`; the other flags belong to the commands.
 *
 * @returns the exit status
 */
export async function trivet(
  argv: readonly string[],
  { stdout, stderr, env }: Omit<CommandProcess, "exitCode">,
): Promise<number> {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const inputs = argv.filter((argument, index) => argument !== "--debug" || index > end);
  const debug = inputs.length < argv.length;
  const process: CommandProcess = { stdout, stderr, env };
  await run(application(debug), inputs, createContext(process, debug));
  const status = Number(process.exitCode ?? 0);
  if (status === ExitCode.UnknownCommand || status === ExitCode.InvalidArgument) return EXIT.usage;
  return status < 0 ? EXIT.bug : status;
}

function application(debug: boolean) {
  const format = (error: unknown): string => formatError(error, debug);
  return buildApplication(
    buildRouteMap({
      routes,
      docs: {
        brief:
          "Makes three cheap servers stand: checks, renders and runs a small highly available LXD or Incus cluster",
        fullDescription:
          "One cluster.yaml describes a small highly available LXD or Incus cluster. trivet checks it, says what would break it,\n" +
          "renders every layer's configuration, and runs beside the cluster.\n\n" +
          "Every command that prints data takes --json. --debug shows the stack of an error.",
      },
    }),
    {
      name: "trivet",
      versionInfo: { currentVersion: VERSION },
      determineExitCode: (error) => EXIT[faultOf(error)],
      scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
      documentation: { disableAnsiColor: true },
      localization: {
        text: {
          ...text_en,
          exceptionWhileRunningCommand: format,
          exceptionWhileLoadingCommandFunction: format,
          commandErrorResult: format,
          exceptionWhileParsingArguments: (error) =>
            `trivet: ${error instanceof Error ? error.message : String(error)}`,
          noCommandRegisteredForInput: ({ input, corrections }) =>
            `trivet: no command ${JSON.stringify(input)}${
              corrections.length === 0
                ? ""
                : `; did you mean ${corrections.map((name) => name.replaceAll("`", "")).join(" or ")}?`
            } (\`trivet --help\` lists them)`,
        },
      },
    },
  );
}
