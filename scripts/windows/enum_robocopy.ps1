<#
.SYNOPSIS
    Lists all files below a folder of a NAS by robocopy in list-only mode (/L); copies nothing and opens no file.

.DESCRIPTION
    Faster than Get-ChildItem over SMB. Output, as robocopy writes it with /L /S /FP /NJH /NJS /NDL /NC /BYTES /NP /XJ /UNILOG: UTF-16
    little endian with a byte order mark, one file a line, each

        <tabs and blanks><size in bytes><tab><full path>

    Reading Room reads that format, and robocopy's others (classes such as "New File", folders, percentages) too:

        scripts/build_index --list nas_dicom_files.txt --map '\\nas\images=/mnt/images'

    The destination that robocopy insists on is an empty folder of its own, which stays empty: /L lists, it never copies.
    Robocopy's exit codes below 8 are successes.

.EXAMPLE
    powershell -ExecutionPolicy Bypass -File .\enum_robocopy.ps1 -Path \\nas\images -Out nas_dicom_files.txt

.NOTES
    A mapped drive (net use Z: \\nas\images) may be faster still; name it in the map then: 'Z:=/mnt/images'.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Path,
    [string] $Out = 'nas_dicom_files.txt',
    [int] $Threads = 16
)

$ErrorActionPreference = 'Stop'
if (-not (Test-Path -LiteralPath $Path -PathType Container)) {
    # Continue: under Stop this line would end the script, with another exit code.
    Write-Error "There is no folder $Path" -ErrorAction Continue
    exit 2
}
$target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Out)
$fresh = "$target.part"
$nowhere = Join-Path ([System.IO.Path]::GetTempPath()) ("readingroom-empty-" + [guid]::NewGuid().ToString('N'))
New-Item -ItemType Directory -Path $nowhere | Out-Null
# A backslash at the end would escape the quote that a name with blanks gets; a drive alone is not its root without one.
$source = $Path.TrimEnd('\')
if ($source -match '^[A-Za-z]:$') { $source += '\' }
$started = Get-Date
try {
    # /L list only   /S with subfolders   /FP full paths   /NJH /NJS no header, no summary   /NDL no folders
    # /XJ no junctions and links, which may lead in a circle
    # /NC no classes   /BYTES sizes as numbers   /NP no percentages   /R:1 /W:1 do not wait for what is locked
    & robocopy.exe $source $nowhere '/L' '/S' '/FP' '/NJH' '/NJS' '/NDL' '/NC' '/BYTES' '/NP' `
        '/XJ' '/R:1' '/W:1' "/MT:$Threads" "/UNILOG:$fresh" | Out-Null
    $code = $LASTEXITCODE
}
finally { Remove-Item -LiteralPath $nowhere -Force }
if (-not (Test-Path -LiteralPath $fresh)) {
    Write-Error "robocopy wrote no list (exit code $code)" -ErrorAction Continue
    exit 1
}
Move-Item -LiteralPath $fresh -Destination $target -Force
Write-Output ("listed in {0:n1} s: {1} (robocopy exit code {2})" -f ((Get-Date) - $started).TotalSeconds, $target, $code)
if ($code -ge 8) { exit 1 }
exit 0
