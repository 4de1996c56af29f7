/** How a report is to be written. What a form has no use for, it ignores. */
export interface FormatOptions {
  /** terminal colours, in `text` */
  readonly colour?: boolean | undefined
  /** columns of the terminal, for `text`; undefined: lines are not broken */
  readonly width?: number | undefined
  /** what the command ends with, for `sarif` */
  readonly exitCode?: number | undefined
  /**
   * Where the working directory lies in the repository, such as `infra/prod`, for `sarif` and
   * `github`: paths are told from the top of the repository
   */
  readonly folder?: string | undefined
}
