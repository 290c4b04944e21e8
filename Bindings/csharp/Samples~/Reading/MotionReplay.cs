// SPDX-License-Identifier: MIT
using TickLog;
using UnityEngine;

/// <summary>Moves its object as a run of MotionLogger says, one row at each physics step.</summary>
public sealed class MotionReplay : MonoBehaviour
{
    /// <summary>The run's folder.</summary>
    public string Path;

    private float[] x, y, z;
    private int row;

    private void OnEnable()
    {
        using (Table table = Table.Open(Path))
        {
            foreach (Column column in table.Columns) Debug.Log(column.ToString());
            x = table.ReadColumn<float>("motion.Position_x");
            y = table.ReadColumn<float>("motion.Position_y");
            z = table.ReadColumn<float>("motion.Position_z");
        }
        row = 0;
    }

    private void FixedUpdate()
    {
        if (row >= x.Length) return;
        transform.position = new Vector3(x[row], y[row], z[row]);
        row++;
    }
}
